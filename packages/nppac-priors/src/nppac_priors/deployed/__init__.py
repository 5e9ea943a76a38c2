"""Trained policies outside their run: what acts on a machine that has torch and this package alone.

`loading.load_policy` reads the folder that `nppac-run export` writes.
"""
