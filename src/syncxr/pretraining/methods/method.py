"""What every pre-training method offers: a loss, and similarities to score with afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, einsum
from torch.nn.functional import normalize

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures


def unit(rows: Tensor) -> Tensor:
    """Vectors of length 1 along the last axis, in at least single precision."""
    return normalize(rows.to(torch.promote_types(rows.dtype, torch.float32)), dim=-1)


def products(images: Tensor, texts: Tensor) -> Tensor:
    """Product of each of (N, d) with each of (M, d), (N, M).

    Never in half precision, whatever autocast says: a cosine's third digit, times a scale of 10 or
    more, is what a softmax tells apart.
    """
    with torch.autocast(images.device.type, enabled=False):
        return images @ texts.T


def compare_places(
    projection: Callable[[Tensor], Tensor], images: ImageFeatures, texts: Tensor
) -> Tensor:
    """Cosines of each place of the last map and each text, (N, M, h, w).

    For methods that train no local features: the projection of the pooled feature is applied at
    every place of the map that was pooled.

    Args:
        projection: From C channels to d.
        images: Of N films.
        texts: Unit vectors, (M, d).
    """
    places = projection(images.spatial.permute(0, 2, 3, 1))
    return einsum("nhwd,md->nmhw", unit(places), texts)


class Method(Protocol):
    """The part between the two towers. A torch module with its own parameters.

    The class has a pydantic model ``Options`` and is made by :func:`syncxr.registry.build`.
    """

    def connect(self, channels: Channels) -> None:
        """Make the parameters that fit the two towers; called once, before anything else."""
        ...

    def loss(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Scalar loss of a batch of N pairs; pair i is (images[i], texts[i])."""
        ...

    def embed_images(self, images: ImageFeatures) -> Tensor:
        """Unit vectors (N, d)."""
        ...

    def embed_texts(self, texts: TextFeatures) -> Tensor:
        """Unit vectors (M, d)."""
        ...

    def logits(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Similarities (N, M) at the scale the loss sees them."""
        ...

    def locate(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Similarity of each place to each text, (N, M, h, w)."""
        ...
