"""The audit of a real corpus: what its reports say, which films are usable, what lacks its pair.

In: a corpus, an extractor, a judge. Out: entity bank, verdicts, lists of what is wrong, pictures.
Must not know: what the bank is used for.
"""
