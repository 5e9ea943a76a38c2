"""The Gaussian network cloned by maximum likelihood, `kind: "gaussian-mlp"`."""
