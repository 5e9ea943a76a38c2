"""SAC with a cloning term in the loss of its policy."""
