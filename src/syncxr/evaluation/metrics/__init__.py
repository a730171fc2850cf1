"""Measures of scores and of masks, thresholds, bootstrap samples: arrays in, numbers out.

In: labels and scores, or masks and maps, as arrays.
Out: numbers, thresholds, intervals; NaN where a measure has no meaning.
Must not know: test sets, models, files.
"""
