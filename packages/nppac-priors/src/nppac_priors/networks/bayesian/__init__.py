"""The Bayesian Gaussian network, `kind: "bayesian-mlp"`.

`config` is the entry; `variational` is mean-field inference with Pyro, `dropout` is MC dropout.
"""
