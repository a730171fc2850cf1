"""What can be said: extraction from text, the entity bank, balanced sampling.

In: report texts, or a bank. Out: entities, their counts, and which of them each report gets.
Must not know: how reports are written or films made.
"""

EXTRACTORS: dict[str, str] = {
    "rules": "syncxr.entities.extraction:RuleExtractor",
    "rate-ner": "syncxr.entities.rate_ner:RateNer",
}
"""Backend name to ``"module:Class"``, for :func:`syncxr.registry.build`."""
