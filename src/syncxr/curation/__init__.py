"""Throws out what is wrong: six questions to each film, and likeness to known-bad ones.

In: films. Out: verdicts with probabilities, similarities and reasons.
Must not know: what the film should show, who made it, or what happens to what is refused.
"""

JUDGES: dict[str, str] = {
    "chat": "syncxr.curation.chat_judge:ChatJudge",
    "inspector": "syncxr.curation.inspector:Inspector",
    "transformers": "syncxr.curation.local_judge:LocalJudge",
}
"""Backend name to ``"module:Class"``, for :func:`syncxr.registry.build`."""

FEATURES: dict[str, str] = {
    "inspector": "syncxr.curation.inspector:InspectorFeatures",
    "rad-dino": "syncxr.curation.dino:Dino",
}
"""Feature spaces of the comparison with known-bad films, likewise."""
