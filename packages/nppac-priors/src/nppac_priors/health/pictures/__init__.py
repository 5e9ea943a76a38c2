"""The pictures of the health report, each a function from numbers to a matplotlib figure.

Where several priors are drawn, a mapping from label to numbers gives their order and colours.
"""
