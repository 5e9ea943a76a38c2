"""The agents' algorithms, one configuration and one method per pair of files."""
