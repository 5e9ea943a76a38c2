"""Loggers: who else is told what a run writes into its `metrics.jsonl`, as plugins."""
