"""What the learner sees: the observed prior, rollouts and the replay."""
