"""Predictions into rows: one row type for every task, and its table of draws.

In: what a model said of every film of a test set.
Out: results with 95 % intervals, and the bootstrap draws that pair two models.
Must not know: how predictions came about, and how rows are laid out.
"""
