"""What lies on disk, for everybody: Parquet shards, manifest, card.

In: samples, some of them only drafted. Out: files that are whole or absent, never half.
Must not know: how a report or a film is made.
"""
