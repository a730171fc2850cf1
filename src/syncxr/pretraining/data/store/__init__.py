"""Pairs decoded once: films at training size and their words, memory-mapped.

In: a source, a preprocessing. Out: its films as one array, its words beside them, what was skipped.
Must not know: how rows are drawn.
"""
