"""Readers of report and image-report corpora; each declares its terms of use.

In: an asset, a folder or a CSV. Out: `Report` records with text and, where given, labels.
Must not know: what the reports are used for.
"""
