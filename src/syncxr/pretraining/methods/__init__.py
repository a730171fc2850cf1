"""Pre-training methods: how films and texts are compared, and the loss of it.

In: features of both towers for a batch of pairs.
Out: a scalar loss; unit vectors, similarities and maps to score with afterwards.
Must not know: which towers the features come from, and how they are trained.
"""
