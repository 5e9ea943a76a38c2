"""The exact multi-output Gaussian-process prior, `kind: "exact-gp"`.

`config` is the entry; `fitting` finds hyper-parameters, `reference` reads published ones,
`conditioning` factorises the posterior, `predictor` evaluates it, and `prior` is the result.
"""
