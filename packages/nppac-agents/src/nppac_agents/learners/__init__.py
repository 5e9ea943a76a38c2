"""Agents: networks, optimizers and the update step, driven by a method's equations."""
