"""Features of RAD-DINO, or of any other DINOv2: the feature space of the paper.

Pérez-García et al., "Exploring scalable medical image encoders beyond text supervision" (Nature
Machine Intelligence 2025): a ViT-B/14 trained on chest radiographs alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from transformers import AutoImageProcessor, AutoModel

from syncxr.assets import cache_folder
from syncxr.curation.embeddings import EmbeddingCache
from syncxr.curation.judge import checked
from syncxr.curation.similarity import Features
from syncxr.errors import SyncxrError
from syncxr.models import ModelOptions, full_batches
from syncxr.sample import Image

_EACH = 8
"""Built-in bad films of each family."""


class DinoOptions(ModelOptions):
    """Options of the feature space, beside those of every model (folder or hub id, device, …).

    Attributes:
        model: Folder, or id on the hub.
        cache: Folder for the features of films seen; the user's cache by default.
    """

    model: str = "microsoft/rad-dino"
    cache: Path | None = None


class Dino:
    """Class token of a DINOv2 after its last normalisation (``pooler_output``), as RAD-DINO's own.

    Films go through the model's own processor. Cosines are plain, as in the paper, not about a
    mean.

    Args:
        options: See :class:`DinoOptions`.

    Raises:
        SyncxrError: The model is not there.
    """

    Options: ClassVar = DinoOptions
    name = "rad-dino"
    max_similarity = 0.5
    """The paper's threshold."""

    def __init__(self, options: DinoOptions) -> None:
        options.check("config.json")
        options.place()
        self.options = options

    def features(self, images: Sequence[Image]) -> Features:
        """One row a film, (N, hidden size).

        Raises:
            SyncxrError: An image is not greyscale uint8, or the model cannot be loaded.
        """
        films = [checked(image, index) for index, image in enumerate(images)]
        return self._cache.get(films, self._compute)

    def built_in(self) -> Features:
        """120 simulated pictures that show no chest: limbs, CT slices, animals, things."""
        return self.features(_no_chests())

    def centre(self) -> None:
        """The origin."""

    def identity(self) -> dict[str, str]:
        """Model and precision: what the features of a film depend on."""
        precision = str(self.options.precision()).removeprefix("torch.")
        return {**self.options.identity(), "dtype": precision}

    def _compute(self, images: Sequence[Image]) -> Features:
        rows: list[Features] = []
        for batch, count in full_batches(images, self.options.at_once()):
            colours = [np.repeat(image[..., None], 3, -1) for image in batch]
            pixels = self._processor(images=colours, return_tensors="pt").pixel_values
            with torch.inference_mode():
                model = self._model
                found = model(pixel_values=pixels.to(model.device, model.dtype)).pooler_output
            rows += list(found[:count].float().cpu().numpy())
        return np.stack(rows)

    @cached_property
    def _cache(self) -> EmbeddingCache:
        return EmbeddingCache(self.options.cache or cache_folder() / "films", self.identity())

    @cached_property
    def _processor(self) -> Any:
        return self.options.load(AutoImageProcessor.from_pretrained)

    @cached_property
    def _model(self) -> Any:
        model = self.options.load(AutoModel.from_pretrained, dtype=self.options.precision())
        if not hasattr(model, "embeddings") or not hasattr(model, "layernorm"):
            raise SyncxrError(
                f"{self.options.model} is a {type(model).__name__}; rad-dino takes a Dinov2Model"
            )
        return model.eval().to(self.options.place())


def _no_chests() -> list[Image]:
    """Films of the families without a chest; spoilt chest films lie too near to good ones."""
    from syncxr.curation.labelled_films.families import TRAINED
    from syncxr.curation.labelled_films.stock import Stock

    return [
        family(Stock([]), np.random.default_rng(number), (number + 0.5) / _EACH)
        for family in TRAINED
        if family.answers.get("chest") is False
        for number in range(_EACH)
    ]
