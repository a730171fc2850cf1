"""Suites: tasks on test sets as data files, and running them cell by cell.

In: a suite, checkpoints, and the folders of test sets.
Out: the result of every cell, committed when it is done.
Must not know: how results are laid out.
"""
