"""The parts of a diagnosis, one file for each thing that is looked at.

In: a configuration, where it matters. Out: findings.
Must not know: how findings are shown, and what becomes of them.
"""
