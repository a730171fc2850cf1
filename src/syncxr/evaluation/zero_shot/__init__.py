"""Zero-shot classification and grounding, also by the rules for real films.

In: a model that answers prompts and points, a test set, a prompt set.
Out: predictions or maps, and their scores.
Must not know: how the model was trained.
"""
