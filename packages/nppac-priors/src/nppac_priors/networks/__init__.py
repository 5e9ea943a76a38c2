"""What all priors made of Gaussian networks share: `gaussian-mlp`, `ensemble`, `bayesian-mlp`.

Each fits K networks at once and differs in what it minimises (its `Objective`) only. `config` has
the common fields, `networks` the K stacked networks, `training_set` the data with whole episodes
held out, `training` the loop, and `prior` the fitted result.
"""
