"""Features of a set's films, computed once per model and set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from syncxr.dataset.files import atomic
from syncxr.evaluation.films.decoded import Films
from syncxr.pretraining.encoders import ImageEncoder
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.progress import bar

BATCH = 32
"""Films a pass of the encoder; fixed, because a convolution's last bits depend on it."""


class Looker(Protocol):
    """A model with an image tower."""

    image_encoder: ImageEncoder
    preprocessing: Preprocessing


def pooled_features(model: Looker, weights: str, films: Films, cache: Path) -> NDArray[np.float32]:
    """Global features of the image tower, before any projection.

    Args:
        model: Whose tower looks.
        weights: Sha256 of the checkpoint's tensors: what the features are features of.
        films: Decoded with ``model.preprocessing``.
        cache: Folder; ``features/KEY.npy`` is whole or absent.

    Returns:
        (N, C), rows in the order of the films.
    """
    key = hashlib.sha256(f"{weights}\0{films.key}".encode()).hexdigest()
    store = cache / "features" / f"{key[:32]}.npy"
    if not store.exists():
        found = extract(model.image_encoder, films.pixels)
        with atomic(store) as partial, partial.open("wb") as stream:
            np.save(stream, found)
    return cast(NDArray[np.float32], np.load(store))


@torch.inference_mode()
def extract(encoder: ImageEncoder, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Global features (N, C) of prepared films (N, S, S)."""
    encoder.eval()
    device = next(encoder.parameters()).device
    found = np.empty((len(pixels), encoder.channels), np.float32)
    place = 0
    with bar("features", len(pixels)) as progress:
        for stack in _ahead(pixels):
            features = encoder(to_tensor(stack, device)).pooled
            found[place : place + len(stack)] = features.float().cpu().numpy()
            place += len(stack)
            progress.advance(len(stack))
    return found


def to_tensor(stack: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Prepared films (n, S, S) as the encoder takes them: (n, 1, S, S), float in [0, 1]."""
    # Moved as bytes: a quarter of what floats would weigh.
    pixels = torch.from_numpy(stack).to(device).unsqueeze(1).float() / 255
    return pixels.contiguous(memory_format=torch.channels_last)


def _ahead(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Batches, each read from disk while the one before is looked at."""

    def read(start: int) -> NDArray[Any]:
        return np.array(pixels[start : start + BATCH])

    with ThreadPoolExecutor(1) as pool:
        waiting = None
        for start in range(0, len(pixels), BATCH):
            following = pool.submit(read, start)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
