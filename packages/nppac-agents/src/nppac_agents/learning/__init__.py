"""Networks, action distributions and divergences that the algorithms are made of."""
