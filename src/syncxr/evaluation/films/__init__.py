"""Films and masks of a set, decoded once; features, computed once per model and set.

In: a `TestSet`, and the preprocessing or the image tower of a model.
Out: memory-mapped arrays under a key that says what they were made of.
Must not know: prompts, scores.
"""
