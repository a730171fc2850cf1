"""What the image tower gives for a set's films: each film is looked at once per model and set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from syncxr.evaluation.films.decoded import Films
from syncxr.evaluation.films.kept import Blocks, Kept, bring
from syncxr.pretraining.encoders.features import ImageFeatures
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.preprocessing import Preprocessing

BATCH = 32
"""Films a pass of the encoder; fixed, because a convolution's last bits depend on it."""


class Looker(Protocol):
    """A model with an image tower."""

    image_encoder: ImageEncoder
    preprocessing: Preprocessing


@dataclass(frozen=True)
class Wanted:
    """Something that is worked out of what the tower gives.

    Attributes:
        name: Says what it is: with the weights and the films it is the key in the cache.
        row: Shape for a film.
        of: From what the tower gives for n films to n rows.
    """

    name: str
    row: tuple[int, ...]
    of: Callable[[ImageFeatures], Tensor]


def pooled(model: Looker) -> Wanted:
    """Global features of the image tower, (C,), before any projection."""
    return Wanted("", (model.image_encoder.channels,), lambda seen: seen.pooled)


def look(
    model: Looker, weights: str, films: Films, wanted: Sequence[Wanted], cache: Path
) -> list[NDArray[np.float32]]:
    """What is wanted of a set's films; what is not in the cache is made in one pass of the tower.

    Args:
        model: Whose tower looks.
        weights: Sha256 of the checkpoint's tensors: what the features are features of.
        films: Decoded with ``model.preprocessing``.
        wanted: What is kept of a look.
        cache: Folder; ``features/KEY.npy`` is whole or absent, and an interrupted pass is gone on
            with.

    Returns:
        (N, …) each, rows in the order of the films, read-only.
    """
    arrays = [
        Kept(cache / "features" / _file(weights, films, w), w.row, np.float32) for w in wanted
    ]

    def rows(start: int, places: Sequence[int]) -> Blocks:
        parts = [wanted[place].of for place in places]
        return extract(model.image_encoder, films.pixels[start:], parts)

    return bring(arrays, len(films), rows, "looking at films", align=BATCH)[0]


def extract(
    encoder: ImageEncoder,
    pixels: NDArray[np.uint8],
    parts: Sequence[Callable[[ImageFeatures], Tensor]],
) -> Iterator[list[NDArray[np.float32]]]:
    """Parts of what the tower gives for prepared films (N, S, S), batch by batch."""
    encoder.eval()
    device = next(encoder.parameters()).device
    for stack in _ahead(pixels):
        with torch.inference_mode():
            seen = encoder(to_tensor(stack, device))
            found = [part(seen).float().cpu().numpy() for part in parts]
        yield found


def to_tensor(stack: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Prepared films (n, S, S) as the encoder takes them: (n, 1, S, S), float in [0, 1]."""
    # Moved as bytes: a quarter of what floats would weigh.
    pixels = torch.from_numpy(stack).to(device).unsqueeze(1).float() / 255
    return pixels.contiguous(memory_format=torch.channels_last)


def _file(weights: str, films: Films, wanted: Wanted) -> str:
    text = "\0".join(filter(None, (weights, films.key, wanted.name)))
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npy"


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
