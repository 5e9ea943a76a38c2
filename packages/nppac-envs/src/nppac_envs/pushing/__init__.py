"""An arm pushes a puck to a goal, after the pushing task of AWAC (Nair et al., 2020).

`config` holds the settings (cheap to import), `task` the environment, `arm` the simulated robot.
"""
