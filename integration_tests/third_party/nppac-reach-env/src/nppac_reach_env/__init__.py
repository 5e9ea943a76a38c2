"""A point that reaches for a goal."""
