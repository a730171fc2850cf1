"""SigLIP: each film and each text a yes or no of its own (Zhai et al., ICCV 2023)."""

from __future__ import annotations

import math

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures
from syncxr.pretraining.gathering import gather
from syncxr.pretraining.methods.method import compare_places, products, unit


def siglip_loss(logits: Tensor) -> Tensor:
    r"""Sigmoid loss (equation 1 of the paper).

    :math:`-\frac1N\sum_i\sum_j \log\sigma(z_{ij} l_{ij})` with z = 1 for a pair, else −1. Unlike a
    softmax it needs no sum over the batch, so that small batches do well.

    Args:
        logits: :math:`l_{ij} = t\,u_i\cdot v_j + b`, (N, N); pair i is (i, i).

    Returns:
        Scalar.

    Raises:
        ValueError: The logits are not square.
    """
    if logits.ndim != 2 or logits.shape[0] != logits.shape[1]:
        raise ValueError(f"logits {tuple(logits.shape)} must be (N, N)")
    signs = 2 * torch.eye(len(logits), dtype=logits.dtype, device=logits.device) - 1
    return -logsigmoid(signs * logits).sum() / len(logits)


class SigLIPOptions(BaseModel):
    """Settings of SigLIP; the defaults are the paper's.

    Attributes:
        dimension: d of the common space.
        scale: First value of t, which is learnt.
        bias: First value of b, which is learnt: most pairs of a batch are none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimension: int = Field(default=512, ge=1)
    scale: float = Field(default=10.0, gt=0)
    bias: float = -10.0


class SigLIP(nn.Module):
    """One linear projection a tower, with a scale and a bias that are learnt."""

    Options = SigLIPOptions

    def __init__(self, options: SigLIPOptions) -> None:
        super().__init__()
        self.options = options
        self.log_scale = nn.Parameter(torch.tensor(math.log(options.scale)))
        self.bias = nn.Parameter(torch.tensor(options.bias))

    def connect(self, channels: Channels) -> None:
        """Make the two projections."""
        self.image_projection = nn.Linear(channels.pooled, self.options.dimension)
        self.text_projection = nn.Linear(channels.text, self.options.dimension)

    def loss(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """See :func:`siglip_loss`."""
        seen, said = gather(self.embed_images(images)), gather(self.embed_texts(texts))
        return siglip_loss(self._compare(seen, said))

    def embed_images(self, images: ImageFeatures) -> Tensor:
        """Unit vectors (N, d)."""
        return unit(self.image_projection(images.pooled))

    def embed_texts(self, texts: TextFeatures) -> Tensor:
        """Unit vectors (M, d)."""
        return unit(self.text_projection(texts.pooled))

    def logits(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Scaled cosines and the bias, (N, M)."""
        return self._compare(self.embed_images(images), self.embed_texts(texts))

    def locate(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """See :func:`compare_places`."""
        return compare_places(self.image_projection, images, self.embed_texts(texts))

    def _compare(self, images: Tensor, texts: Tensor) -> Tensor:
        return products(images, texts) * self.log_scale.exp() + self.bias
