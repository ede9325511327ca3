"""Optimizers, rates and averages of the weights, as the papers' solvers have them."""
