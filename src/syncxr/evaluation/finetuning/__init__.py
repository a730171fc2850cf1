"""Fine-tuning on labels: how much a pre-trained image tower saves on annotation.

In: films or features with labels or masks, split by patient, and a pre-trained image tower.
Out: predictions on test films that were looked at once.
Must not know: where the films came from, and how predictions are scored.
"""
