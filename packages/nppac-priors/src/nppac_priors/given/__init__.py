"""Priors that are given instead of fitted: a prior's own file, or a policy that one has already."""
