"""Splits and nested label fractions: by patient, stratified, seeded, the same everywhere.

In: a `TestSet` or its items. Out: parts of it under a name that says fraction and seed.
Must not know: how a set lies on disk, models, metrics.
"""
