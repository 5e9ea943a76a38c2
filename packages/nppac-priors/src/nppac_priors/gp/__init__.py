"""What the Gaussian-process priors share.

`model` holds the parameters (GPyTorch modules for the fit, plain numbers after it), `kernels` the
closed forms, `coregionalisation` the posterior of correlated actions, `predictor` evaluates it;
`input_scale`, `eigendecomposition` and `memory` look after scales, numerics and size.
"""
