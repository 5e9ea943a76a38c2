"""The sparse variational Gaussian-process prior, `kind: "sparse-gp"`.

`config` is the entry; `inducing` chooses inducing points from the data, `fitting` trains them with
the hyper-parameters on minibatches (`features`, `variational`, `bound`), `conditioning` takes the
optimal posterior over all data in one pass, and `prior` is the result.
"""
