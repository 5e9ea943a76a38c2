"""Studies: many runs of several experiments, started, watched and continued as one thing."""
