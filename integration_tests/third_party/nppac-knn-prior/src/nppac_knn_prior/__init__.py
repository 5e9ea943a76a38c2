"""A nearest-neighbour behavioural prior."""
