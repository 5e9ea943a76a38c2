"""What agents learn from: transitions, the replay, demonstrations, rollouts, the observed prior."""
