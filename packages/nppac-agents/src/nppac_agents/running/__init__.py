"""A run from its parts to its files: learning loop, evaluation, checkpoints, console."""
