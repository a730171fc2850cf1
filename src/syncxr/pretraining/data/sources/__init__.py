"""Where pairs come from, one file a layout.

In: a dataset, a CSV, a corpus, pairs in memory. Out: entries in a fixed order, films undecoded,
and what is no pair, with the reason.
Must not know: how films are decoded, kept and drawn.
"""
