"""Trained models for other programs: transformers' dual-encoder layout, and ONNX.

In: a model as :func:`syncxr.pretraining.checkpoint.load` gives it.
Out: a folder that opens without syncxr, compared with the model before it is there.
Must not know: how the model was trained, and what it will be used for.
"""

FORMATS = {
    "vision-text-dual-encoder": "syncxr.pretraining.export.dual_encoder:export",
    "onnx": "syncxr.pretraining.export.onnx:export",
}
"""Name to the function that writes it: from a model and a folder to the greatest difference."""
