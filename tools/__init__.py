"""Scripts for who develops the packages; CONTRIBUTING.md says when to run which."""
