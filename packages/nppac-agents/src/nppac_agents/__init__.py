"""nppac-agents."""
