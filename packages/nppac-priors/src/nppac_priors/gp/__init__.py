"""What the Gaussian-process priors share.

`config` has the common fields, `model` the parameters (GPyTorch modules for the fit, plain numbers
after it), `kernels` the closed forms; `coregionalisation` is the posterior of correlated actions,
and `predictor` evaluates it. `eigendecomposition` and `memory` look after numerics and size.
"""
