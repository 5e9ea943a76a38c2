"""Faults of what a residual N-PPAC has beyond the paper: bounds, warm-up, episodes of the mode."""

from integration_tests.mutations.mutation import mutations_of

NPPAC = "methods/nppac.py"
ASKS = "methods/asks_prior.py"
WARM_UP = "methods/critic_warmup.py"
PROMISES = "parts/promises.py"
FLAT = "running/flattening.py"
TRAINING = "running/training.py"
ROLLOUTS = "data/rollouts.py"
BEST = "data/best_episodes.py"
ROUNDS = "methods/prior_rounds.py"

# fmt: off
BEYOND_THE_PAPER = mutations_of("nppac-agents", [
    # Values within what rewards add up to.
    ("targets are not bounded", NPPAC,
     "if possible is None:", "if True:", "methods/test_nppac.py -k add_up_to"),
    ("the bounds have the rewards' unit, not the critics'", NPPAC,
     "bound / agent.parts.critic.unit", "bound", "methods/test_nppac.py -k add_up_to"),
    ("the least value is of one step", "spaces.py",
     "min(least, least * endless)", "least", "test_spaces.py"),
    ("the least value is of endless steps alone", "spaces.py",
     "min(least, least * endless)", "least * endless", "test_spaces.py"),
    # The warm-up that ends by itself.
    ("critics learn from what is held out", WARM_UP,
     "held_out=len(replay) // HELD_OUT", "held_out=0", "methods/test_nppac.py -k do_not_learn"),
    ("the error is measured on all rollouts", WARM_UP,
     "first=len(replay) // HELD_OUT)", "first=len(replay))",
     "methods/test_nppac.py -k do_not_learn"),
    ("errors are not over their variance", PROMISES,
     ".mean() / variance", ".mean()", "parts/test_promises.py"),
    ("what follows a stretch is worth nothing", PROMISES,
     "rewards[last] += ", "_ = ", "parts/test_promises.py"),
    ("what follows a stretch that terminated is worth something", PROMISES,
     "(1.0 - seen.terminated[last])", "1.0", "parts/test_promises.py"),
    ("any fall counts", FLAT,
     "(1.0 - LEAST_GAIN) * ", "", "running/test_flattening.py -k latest_four"),
    ("one look is enough", FLAT, "PATIENCE = 4", "PATIENCE = 1",
     "running/test_flattening.py -k latest_four"),
    ("the warm-up has its whole length", TRAINING,
     " or flattened(self.errors)", "", "running/test_flattening.py -k falls_no"),
    ("errors are forgotten at a resume", TRAINING,
     'self.errors = position["errors"]', "pass", "running/test_flattening.py -k killed"),
    ("errors of one phase end the next", TRAINING,
     "self.phase_updates, self.errors = self.phase + 1, 0, []",
     "self.phase_updates = self.phase + 1, 0", "running/test_flattening.py -k falls_no"),
    # Episodes of the mode.
    ("samples play all episodes", ASKS,
     "policy.mode().where(modes[:, None], policy.sample(agent.acting)[0])",
     "policy.sample(agent.acting)[0]", "data/test_rollouts.py -k share_of_the"),
    ("a fresh policy's samples play all episodes", "methods/base.py",
     "if modes.any():", "if False:", "data/test_rollouts.py -k share_of_the"),
    ("an environment's episodes are all of one kind", ROLLOUTS,
     "        self._start(last)\n", "", "data/test_rollouts.py -k share_of_the"),
    ("which episodes are the mode's is forgotten at a resume", ROLLOUTS,
     'self.episodes = int(state["episodes"])', "pass", "data/test_rollouts.py -k restored"),
    ("which episode is the mode's is forgotten at a resume", ROLLOUTS,
     'self.modes = state["modes"].numpy().copy()', "pass", "data/test_rollouts.py -k restored"),
    ("critics learn the value of samples all the same", "methods/actor_critic.py",
     'if self.target_action == "mode":', "if False:", "methods/test_nppac.py -k of_the_mode"),
    # Staggered resets.
    ("first episodes are not cut", ROLLOUTS,
     "if not cut.any():", "if True:", "data/test_rollouts.py -k different_times"),
    ("an episode that was cut goes on in the replay", ROLLOUTS,
     "self.replay.cut_episodes(np.flatnonzero(cut))\n        self.states", "self.states",
     "data/test_rollouts.py -k different_times"),
    ("an environment is cut after its first episode too", ROLLOUTS,
     "self.until_cut[ended] = 0", "pass", "data/test_rollouts.py -k by_itself"),
    ("when episodes are cut is forgotten at a resume", ROLLOUTS,
     'self.until_cut = state["until_cut"].numpy().copy()', "pass",
     "data/test_rollouts.py -k restored"),
    ("every method staggers", ROLLOUTS,
     "agent.method.staggers_resets() and", "", "data/test_rollouts.py -k finished_episodes"),
    # A prior that is fitted anew.
    ("the best share has all episodes", BEST, ": int(share * len(pool))]", ":]",
     "data/test_best_episodes.py -k how_many"),
    ("the worst count as good", BEST,
     "kept[returns[kept] > returns.min()]", "kept", "data/test_best_episodes.py -k worst"),
    ("an episode that was cut is as good as a whole one", BEST,
     "or len(r) == longest", "or True", "data/test_best_episodes.py -k cut"),
    ("a demonstration may take longer", BEST,
     "rewards[rows[:longest]]", "rewards[rows]", "data/test_best_episodes.py -k demonstration"),
    ("the prior is fitted to actions that nobody saw", BEST,
     ".clamp(-1.0, 1.0)", "", "data/test_best_episodes.py -k saw"),
    ("an episode that goes on is whole", "data/replay.py",
     "ring[: int(end[-1]) + 1]", "ring", "data/test_replay.py -k whole"),
    ("the replay keeps what the old prior said", ROUNDS,
     "    replay.observe_anew(", "    (", "methods/test_prior_rounds.py -k measured"),
    ("the bound keeps the old prior's std", ROUNDS,
     "if trust is not None:", "if False:", "methods/test_prior_rounds.py -k measured"),
    ("the usual std is that at the demonstrations", ROUNDS,
     "    agent.std_on_data = agent.usual_std(best.states)\n", "",
     "methods/test_prior_rounds.py -k best_half"),
    ("a checkpoint forgets the new prior", "agent.py",
     "self.prior is not self.given:\n            state", "False:\n            state",
     "methods/test_prior_rounds.py -k checkpoint"),
    ("a policy from before keeps the new prior", "agent.py",
     "            self.replace_prior(self.given)", "            pass",
     "methods/test_prior_rounds.py -k checkpoint"),
    ("what the old prior said is remembered", "data/observed_prior.py",
     "        self._slots: dict[bytes, int] = {}\n",
     "        self._slots = getattr(self, '_slots', {})\n",
     "methods/test_prior_rounds.py -k measured"),
    ("rollouts of a later round add up twice", TRAINING,
     "steps = max(", "steps = sum(", "running/test_prior_rounds.py -k told"),
    # Where the time goes.
    ("what is timed inside of something else counts twice", "stopwatch.py",
     "name = self._names[-1]", "name = self._names[0]", "test_stopwatch.py"),
    ("what was spent before a resume is forgotten", "running/metrics_log.py",
     'self.stopwatch.seconds.update(counters["time_spent"])', "pass",
     "running/test_metrics_log.py -k restored"),
])
