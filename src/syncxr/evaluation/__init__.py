"""What a model is worth: test sets, prompts, scores with intervals.

In: a model with ``zero_shot`` and ``ground``, and a test set.
Out: tables of scores that name their test set, prompt set, n, seed and interval.
Must not know: how the model was trained.
"""
