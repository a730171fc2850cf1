"""Settings of the data of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from syncxr.pretraining.data.captions import CaptionMode


class SourceOptions(BaseModel):
    """Where pairs come from.

    Attributes:
        path: A generated dataset or run folder (or its URL); a CSV; ``"openi"``; the folder of
            MIMIC-CXR-JPG; or a folder of films and ``.txt`` reports of the same names.
        images: Folder of the films, for a CSV (by default the CSV's own) and for Open-i.
        reports: Folder or zip file of MIMIC-CXR's reports, where they lie apart.
        weight: Share of every epoch that is drawn from here, relative to the other weights.
            Without weights every pair is seen once an epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    images: Path | None = None
    reports: Path | None = None
    weight: float | None = Field(default=None, gt=0)


class DataOptions(BaseModel):
    """What a run trains on. Only ``sources`` should differ between runs that are compared.

    Attributes:
        sources: Where pairs come from; what is named on the command line takes their place.
        caption: Which words stand beside a film.
        validation_fraction: Share of the pairs kept out of training, chosen by a hash of the
            patient or, where none is known, of the id; of the report in a generated dataset, whose
            films may share one. A source with a validation split of its own (MIMIC-CXR:
            ``validate``) keeps that out instead.
        corrupt_limit: Share of a source's samples that may be unusable (a film that does not
            open, no text); they are named and skipped. Three may be so in any source.
        cache: Folder for the decoded films; the project's cache folder by default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[SourceOptions, ...] = ()
    caption: CaptionMode = "sentence"
    validation_fraction: float = Field(default=0.1, ge=0, lt=1)
    corrupt_limit: float = Field(default=0.01, ge=0, le=1)
    cache: Path | None = None

    @model_validator(mode="after")
    def _all_weighed(self) -> Self:
        given = [source.weight is not None for source in self.sources]
        if any(given) and not all(given):
            raise ValueError("give every source a weight, or none")
        return self
