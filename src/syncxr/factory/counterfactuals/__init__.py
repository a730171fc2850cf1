"""Counterfactuals of a dataset: each pair again with one finding changed.

In: pairs that the simulation made. Out: the same patients, a finding gone or in another grade.
Must not know: plans, writers, judges, how a film is made.
"""
