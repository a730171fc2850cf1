"""Pre-training of image and text encoders on image-report pairs.

In: pairs of film and report, generated or the user's own.
Out: a checkpoint folder and the model that :func:`syncxr.pretraining.checkpoint.load` makes of it.
Must not know: where the pairs came from, and what the model will be tested on.
"""

METHODS = {
    "convirt": "syncxr.pretraining.methods.convirt:ConVIRT",
    "gloria": "syncxr.pretraining.methods.gloria:GLoRIA",
    "siglip": "syncxr.pretraining.methods.siglip:SigLIP",
}
"""Pre-training methods by name; see docs/pretraining.md for how to add one."""
