"""The sparse variational Gaussian-process prior, `kind: "sparse-gp"`.

`config` is the entry; `fitting` starts as `exact-gp` does, on subsets, then trains hyper-parameters
and inducing points on minibatches (`inducing`, `features`, `variational`, `bound`); `conditioning`
takes the optimal posterior over all data in one pass, and `prior` is the result.
"""
