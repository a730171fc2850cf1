"""What a run trains on: pairs of any corpus, decoded once, drawn in batches.

In: datasets, corpora, CSVs and pairs in memory, with their shares. Out: the same batches whenever
asked, films at training size, and a record of what was drawn on and what was skipped.
Must not know: methods, encoders, tensors.
"""
