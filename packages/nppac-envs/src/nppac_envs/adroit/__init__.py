"""The Adroit hand tasks of Rajeswaran et al. (2018) with binary rewards.

`config` holds the settings (cheap to import), `task` the environment (imports the simulator).
"""
