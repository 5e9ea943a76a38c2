"""Faults put into the sources on purpose, and the tests that have to notice each of them."""
