"""Demonstrations: `dataset` is what everything gets, the other modules are where they come from.

`minari` reads a Minari set, `npz` the package's own format, `dapg` the pickles of the DAPG release,
`shipped` a set that comes with the package; `sources` is the union of the four for config files.
"""
