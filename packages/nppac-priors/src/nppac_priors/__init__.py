"""nppac-priors."""
