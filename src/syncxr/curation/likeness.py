"""How like a known-bad film each film is, in the feature space that the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from syncxr.corpora.films import film_paths, read_film
from syncxr.curation import FEATURES
from syncxr.curation.similarity import Features, KnownBad
from syncxr.errors import SyncxrError
from syncxr.models import folder_hash
from syncxr.registry import BackendSpec, build
from syncxr.sample import Image

_READ_AT_ONCE = 256


class FeatureSpace(Protocol):
    """Turns films into vectors whose cosines mean likeness.

    Attributes:
        name: Name in :data:`syncxr.curation.FEATURES`.
        max_similarity: Greatest cosine to a known-bad film that passes, in this space.
    """

    name: str
    max_similarity: float

    def features(self, images: Sequence[Image]) -> Features:
        """One row a film, (N, D)."""
        ...

    def built_in(self) -> Features:
        """Features of the bad films that come with the software, (B, D)."""
        ...

    def centre(self) -> Features | None:
        """Where cosines are taken about, (D,); ``None`` = the origin."""
        ...

    def identity(self) -> dict[str, str]:
        """What the features depend on."""
        ...


class SimilarityOptions(BaseModel):
    """Comparison with films known to be bad; keys beyond these are the feature space's own.

    In a configuration, below ``judge``::

        similarity:
          features: rad-dino
          model: /models/rad-dino
          bad_films: /data/bad-films

    Attributes:
        features: Name of the feature space: ``inspector`` (embedded) or ``rad-dino``.
        threshold: Greatest cosine that passes, instead of the feature space's own.
        bad_films: Folder of films of your own that are known to be bad.
        built_in: Also compare with the bad films that come with the software.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    features: str = "inspector"
    threshold: float | None = Field(default=None, ge=-1, le=1)
    bad_films: Path | None = None
    built_in: bool = True


class Likeness:
    """Similarity to the bank of bad films.

    Args:
        options: See :class:`SimilarityOptions`.

    Raises:
        SyncxrError: An option is wrong, or there is nothing to compare with.
    """

    def __init__(self, options: SimilarityOptions) -> None:
        if not options.built_in and options.bad_films is None:
            raise SyncxrError("similarity: give a folder bad_films, or built_in: true")
        if options.bad_films is not None:
            film_paths(options.bad_films)
        self.options = options
        spec = BackendSpec(name=options.features, **(options.model_extra or {}))
        self.space: FeatureSpace = build("feature space", FEATURES, spec)

    @property
    def max_similarity(self) -> float:
        """Greatest cosine that passes."""
        chosen = self.options.threshold
        return self.space.max_similarity if chosen is None else chosen

    @cached_property
    def bank(self) -> KnownBad:
        """Built-in bad films, then one's own."""
        parts = [self.space.built_in()] if self.options.built_in else []
        if self.options.bad_films is not None:
            paths = film_paths(self.options.bad_films)
            for start in range(0, len(paths), _READ_AT_ONCE):
                films = [read_film(path) for path in paths[start : start + _READ_AT_ONCE]]
                parts.append(self.space.features(films))
        bank = np.concatenate(parts)
        centre = self.space.centre()
        return KnownBad(bank, np.zeros(bank.shape[1], np.float32) if centre is None else centre)

    def __call__(self, images: Sequence[Image]) -> list[float]:
        """Greatest cosine of each film with any of the bank, in [-1, 1]."""
        return self.of(self.space.features(images)) if len(images) else []

    def of(self, features: Features) -> list[float]:
        """The same of films whose features are at hand."""
        return [float(value) for value in self.bank.similarity(features)]

    def record(self) -> dict[str, Any]:
        """What the similarities depend on, JSON values."""
        own = self.options.bad_films
        return {
            "features": self.space.name,
            **self.space.identity(),
            "built_in": self.options.built_in,
            "bad_films": len(self.bank.bank),
            "own_sha256": folder_hash(own) if own else None,
            "max_similarity": self.max_similarity,
        }
