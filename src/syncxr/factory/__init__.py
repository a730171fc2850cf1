"""Running: plans into drafts into films, shard by shard; the only place that knows how.

In: a plan, a writer, a renderer, a judge. Out: committed shards, rejected samples with reasons.
Must not know: what the pairs are used for.
"""
