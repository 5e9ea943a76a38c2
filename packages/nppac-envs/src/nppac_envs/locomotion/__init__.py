"""Locomotion of Gymnasium: HalfCheetah, Walker2d, Ant and Hopper.

`config` holds the settings (cheap to import), `task` the environment (imports the simulator).
"""
