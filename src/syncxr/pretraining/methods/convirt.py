"""ConVIRT: in-batch contrast between films and reports (Zhang et al., MLHC 2022)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, arange, nn
from torch.nn.functional import cross_entropy

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures
from syncxr.pretraining.gathering import gather
from syncxr.pretraining.methods.method import compare_places, products, unit


def convirt_loss(
    images: Tensor, texts: Tensor, temperature: float = 0.1, image_weight: float = 0.75
) -> Tensor:
    r"""Weighted contrast both ways (equations 2 to 4 of the paper).

    :math:`\frac1N\sum_i \lambda\,\ell_i^{u\to v} + (1-\lambda)\,\ell_i^{v\to u}` with
    :math:`\ell_i^{u\to v} = -\log\frac{\exp(\cos(u_i, v_i)/\tau)}
    {\sum_k\exp(\cos(u_i, v_k)/\tau)}`.

    Args:
        images: Projected film features u, (N, d).
        texts: Projected text features v, (N, d); row i belongs to film i.
        temperature: τ > 0.
        image_weight: λ in [0, 1], the share of the image-to-text direction.

    Returns:
        Scalar.

    Raises:
        ValueError: The shapes differ or are not (N, d).
    """
    if images.ndim != 2 or images.shape != texts.shape:
        raise ValueError(
            f"films {tuple(images.shape)} and texts {tuple(texts.shape)} must both be (N, d)"
        )
    logits = products(unit(images), unit(texts)) / temperature
    own = arange(len(images), device=images.device)
    image_to_text = cross_entropy(logits, own)
    text_to_image = cross_entropy(logits.T, own)
    return image_weight * image_to_text + (1 - image_weight) * text_to_image


class ConVIRTOptions(BaseModel):
    """Settings of ConVIRT; the defaults are the paper's.

    Attributes:
        dimension: d of the common space.
        temperature: τ.
        image_weight: λ.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimension: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.1, gt=0)
    image_weight: float = Field(default=0.75, ge=0, le=1)


class ConVIRT(nn.Module):
    """Two projections into one space, contrasted in the batch."""

    Options = ConVIRTOptions

    def __init__(self, options: ConVIRTOptions) -> None:
        super().__init__()
        self.options = options

    def connect(self, channels: Channels) -> None:
        """Make the two projections."""
        self.image_projection = _projection(channels.pooled, self.options.dimension)
        self.text_projection = _projection(channels.text, self.options.dimension)

    def loss(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """See :func:`convirt_loss`."""
        return convirt_loss(
            gather(self.image_projection(images.pooled)),
            gather(self.text_projection(texts.pooled)),
            self.options.temperature,
            self.options.image_weight,
        )

    def embed_images(self, images: ImageFeatures) -> Tensor:
        """Unit vectors (N, d)."""
        return unit(self.image_projection(images.pooled))

    def embed_texts(self, texts: TextFeatures) -> Tensor:
        """Unit vectors (M, d)."""
        return unit(self.text_projection(texts.pooled))

    def logits(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Cosines over τ, (N, M)."""
        return (
            products(self.embed_images(images), self.embed_texts(texts)) / self.options.temperature
        )

    def locate(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """See :func:`compare_places`."""
        return compare_places(self.image_projection, images, self.embed_texts(texts))


def _projection(channels: int, dimension: int) -> nn.Sequential:
    """Linear, ReLU, Linear (section 3.2 of the paper)."""
    return nn.Sequential(nn.Linear(channels, dimension), nn.ReLU(), nn.Linear(dimension, dimension))
