"""One image-report pair on its way through the factory: entities, ids, seeds.

In: nothing. Out: the types every room speaks.
Must not know: how any stage makes what it adds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Greyscale film, shape (H, W), 0 = black, 255 = white; bone is bright."""

Mask = NDArray[np.bool_]
"""Where a finding lies, shape (H, W) of its film."""


class Category(StrEnum):
    """The five entity categories of RaTE-NER (Zhao et al., RaTEScore, EMNLP 2024)."""

    ABNORMALITY = "ABNORMALITY"
    NON_ABNORMALITY = "NON-ABNORMALITY"
    DISEASE = "DISEASE"
    NON_DISEASE = "NON-DISEASE"
    ANATOMY = "ANATOMY"


class Polarity(StrEnum):
    """Whether the text affirms an abnormality. A structure called normal is ABSENT."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, order=True)
class Entity:
    """One clinical statement, as planned, as written and as found again in a text.

    Attributes:
        concept: Canonical term of the lexicon, e.g. ``"pleural effusion"``; for
            ``Category.ANATOMY`` the structure that is called normal, e.g. ``"heart"``.
        category: RaTE category. Negated abnormalities are ``NON-ABNORMALITY``, negated
            diseases ``NON-DISEASE``; uncertain ones keep ``ABNORMALITY`` / ``DISEASE``.
        polarity: Affirmed, denied or hedged.
        location: Canonical place, ``"[side] [zone]"``, e.g. ``"left"``, ``"right lower
            lobe"``, ``"bilateral base"``; ``""`` where the text names none.
        severity: ``""``, ``"mild"``, ``"moderate"`` or ``"severe"``; sizes read as
            small = mild, large = severe.
    """

    concept: str
    category: Category
    polarity: Polarity
    location: str = ""
    severity: str = ""

    def __str__(self) -> str:
        words = (self.severity, self.location, self.concept)
        prefix = {"absent": "no ", "uncertain": "possible ", "present": ""}[self.polarity]
        if self.category is Category.ANATOMY:
            prefix = "normal "
        return prefix + " ".join(word for word in words if word)

    def to_dict(self) -> dict[str, str]:
        """As plain strings, for Parquet and JSON."""
        return {
            "concept": self.concept,
            "category": self.category.value,
            "polarity": self.polarity.value,
            "location": self.location,
            "severity": self.severity,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, str]) -> Entity:
        """Inverse of :meth:`to_dict`.

        Raises:
            KeyError: A field is missing.
            ValueError: Category or polarity is not one of the known values.
        """
        return cls(
            row["concept"],
            Category(row["category"]),
            Polarity(row["polarity"]),
            row["location"],
            row["severity"],
        )


@dataclass
class Sample:
    """One pair on its way; each stage fills in what it makes.

    Attributes:
        id: Stable name, see :func:`sample_id`.
        entities: What the plan asks the report to say.
        findings: FINDINGS section.
        impression: IMPRESSION section.
        image: The film, once rendered.
        masks: Finding (``str(entity)``) to mask, only where the renderer knows it.
        quality: Question or measure to score in [0, 1].
        provenance: What made it: stage to seeds, parameters, attempts with their reasons.
    """

    id: str
    entities: tuple[Entity, ...] = ()
    findings: str = ""
    impression: str = ""
    image: Image | None = None
    masks: dict[str, Mask] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


def sample_id(plan_seed: int, index: int) -> str:
    """Name of the ``index``-th sample of a plan; it survives an extension of the plan."""
    return f"{plan_seed:04d}-{index:07d}"


def derive_seed(id: str, stage: str, attempt: int) -> int:
    """Seed of one attempt of one stage at one sample, in [0, 2**63).

    The same triple gives the same seed whatever the order, batch or number of workers.
    """
    digest = hashlib.sha256(f"{id}\0{stage}\0{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
