"""Environments of others: any Gymnasium environment, named in a config and adapted to the contract.

The config class is in `config`; it imports neither Gymnasium nor the environment.
"""

DEFAULT_HORIZON = 1000
"""Steps of an episode where neither the config nor the environment has a limit."""
