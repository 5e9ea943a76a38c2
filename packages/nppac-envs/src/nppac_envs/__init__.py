"""nppac-envs."""
