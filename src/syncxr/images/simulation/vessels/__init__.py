"""Vessels of the lung: a tree of their own for every patient, as thin as vessels are.

In: a source body's lungs, a variant, a view. Out: what the vessels add along every ray.
Must not know: findings, films.
"""
