"""A run before its first step: the same model for the same options, whatever the data."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

from syncxr.errors import SyncxrError
from syncxr.pretraining import METHODS
from syncxr.pretraining.data.opening import Data
from syncxr.pretraining.encoders.image import build_image_encoder
from syncxr.pretraining.encoders.text import build_text_encoder
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.options import PretrainingOptions
from syncxr.registry import build
from syncxr.sample import derive_seed


def build_model(options: PretrainingOptions) -> tuple[DualEncoder, tuple[str, ...]]:
    """The model, and what each tower started from."""
    torch.manual_seed(derive_seed(str(options.seed), "pretraining start", 0))
    image_encoder, image_report = build_image_encoder(options.image_encoder)
    text_encoder, text_report = build_text_encoder(options.text_encoder)
    method = build("method", METHODS, options.method)
    model = DualEncoder(image_encoder, text_encoder, method, options.preprocessing)
    return model, (str(image_report), str(text_report))


def weights_fingerprint(model: nn.Module) -> str:
    """sha256 over the names and values of all tensors."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def steps_per_epoch(options: PretrainingOptions, data: Data, processes: int) -> int:
    """Whole steps that an epoch has.

    Raises:
        SyncxrError: There is none, a batch does not divide among the processes, or there is no
            validation loss for what depends on it.
    """
    if options.watched and not len(data.validation):
        raise SyncxrError(
            f"no pair of {data.name} is kept out, which patience, plateau and best need; raise "
            "data.validation_fraction or give more pairs"
        )
    if options.batch_size % processes:
        raise SyncxrError(
            f"batch_size {options.batch_size} does not divide among {processes} processes; "
            "choose a multiple of their number"
        )
    found = data.training.steps(options.batch_size) // options.accumulation
    if not found:
        what = "one batch" if options.accumulation == 1 else f"{options.accumulation} batches"
        raise SyncxrError(
            f"{len(data.training)} training pairs from {data.name} do not fill {what} of "
            f"{options.batch_size}; lower batch_size or give more pairs"
        )
    return found
