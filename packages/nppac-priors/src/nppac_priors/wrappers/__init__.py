"""Priors made of priors: the paper's ablations, for any Gaussian prior and nested as you like.

`VarianceFloor`, `ConstantVariance` and `MeanAndScale` wrap fitted priors; their configs fit what
they wrap and wrap it, so that the same works from a file.
"""
