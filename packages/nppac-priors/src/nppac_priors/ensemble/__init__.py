"""The ensemble of Gaussian networks, `kind: "ensemble"`."""
