"""The embedded judge: six answers and a likeness to known-bad films, without any hub or GPU."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.torch import load_file

from syncxr.corpora.films import read_film
from syncxr.curation.judge import QUESTIONS, Verdict, VerdictOptions, checked
from syncxr.curation.likeness import Likeness, SimilarityOptions
from syncxr.curation.network import InspectorNet, prepare
from syncxr.curation.similarity import Features, KnownBad
from syncxr.dataset.files import sha256
from syncxr.errors import SyncxrError
from syncxr.sample import Image
from syncxr.threads import torch_threads

WEIGHTS = Path(__file__).parent / "weights"
"""``inspector.safetensors``, ``known_bad.safetensors`` and ``inspector.json``, as
``scripts/train_inspector.py`` writes them."""


@dataclass(frozen=True)
class Calibration:
    """What was fixed on simulated films after training.

    Attributes:
        thresholds: Question to the least probability that passes.
        max_similarity: Greatest cosine to the bank that passes.
    """

    thresholds: dict[str, float]
    max_similarity: float


class InspectorFeaturesOptions(BaseModel):
    """Options of the inspector's feature space.

    Attributes:
        weights: Folder with weights, bank and thresholds; the ones in the package by default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: Path = WEIGHTS


class InspectorOptions(VerdictOptions):
    """Options of the inspector.

    Attributes:
        weights: Folder with weights, bank and thresholds; the ones in the package by default.
        similarity: Comparison with known-bad films; ``null`` switches it off.
    """

    weights: Path = WEIGHTS
    similarity: SimilarityOptions | None = SimilarityOptions()


class InspectorModel:
    """Network, bank and thresholds of one folder.

    Each film goes through the network alone and on one thread, so that its answers depend on no
    other film and on no batch size, to the last bit; at this size a batch would gain nothing.

    Args:
        weights: The folder, as ``scripts/train_inspector.py`` writes it.
    """

    def __init__(self, weights: Path) -> None:
        self._folder = weights

    @cached_property
    def network(self) -> InspectorNet:
        """The network, with its weights."""
        network = InspectorNet()
        name = "inspector.safetensors"
        saved = {key: value.float() for key, value in self._load(name).items()}
        try:
            network.load_state_dict(saved)
        except RuntimeError as error:
            raise _unusable(self._folder / name, error) from error
        return network.eval().to(memory_format=torch.channels_last)

    @cached_property
    def bank(self) -> KnownBad:
        """The known-bad films."""
        saved = self._load("known_bad.safetensors")
        return KnownBad(saved["bank"].float().numpy(), saved["centre"].float().numpy())

    @cached_property
    def calibration(self) -> Calibration:
        """What was fixed on simulated films after training."""
        path = self._folder / "inspector.json"
        try:
            record = json.loads(path.read_text())
            return Calibration(record["thresholds"], record["max_similarity"])
        except (OSError, ValueError, KeyError) as error:
            raise _unusable(path, error) from error

    @cached_property
    def identity(self) -> str:
        """Hash of the weights."""
        return sha256(self._folder / "inspector.safetensors")

    def _load(self, name: str) -> dict[str, torch.Tensor]:
        try:
            return dict(load_file(self._folder / name))
        except (OSError, SafetensorError) as error:
            raise _unusable(self._folder / name, error) from error

    def score(self, images: Sequence[Image]) -> tuple[Features, Features]:
        """Probabilities of yes (N, 6), in the order of the questions, and features (N, 128).

        Raises:
            SyncxrError: An image is not greyscale uint8 with at least 16 pixels a side.
        """
        answers = np.zeros((len(images), len(QUESTIONS)), np.float32)
        features = np.zeros((len(images), self.bank.bank.shape[1]), np.float32)
        with torch_threads(1), torch.inference_mode():
            for index, image in enumerate(images):
                coarse, fine = (_tensor(part) for part in prepare(checked(image, index)))
                logits, embedding = self.network(coarse, fine)
                answers[index] = torch.sigmoid(logits[0]).numpy()
                features[index] = embedding[0].numpy()
        return answers, features


@cache
def inspector_model(weights: Path) -> InspectorModel:
    """The model of a folder, loaded once: judge and feature space share it."""
    return InspectorModel(weights)


class InspectorFeatures:
    """The features on which the embedded judge bases its answers, 128 numbers a film.

    Args:
        options: See :class:`InspectorFeaturesOptions`.
    """

    Options = InspectorFeaturesOptions
    name = "inspector"

    def __init__(self, options: InspectorFeaturesOptions) -> None:
        self.model = inspector_model(options.weights)

    @property
    def max_similarity(self) -> float:
        """The calibrated threshold: 1 % of good simulated films lie above it."""
        return self.model.calibration.max_similarity

    def features(self, images: Sequence[Image]) -> Features:
        """One row a film, (N, 128)."""
        return self.model.score(images)[1]

    def built_in(self) -> Features:
        """256 faulty simulated films."""
        return self.model.bank.bank

    def centre(self) -> Features:
        """The mean of good simulated films."""
        return self.model.bank.centre

    def identity(self) -> dict[str, str]:
        """Hash of the weights."""
        return {"sha256": self.model.identity}


class Inspector:
    """Answers the six questions with a small network trained on simulated films.

    Args:
        options: See :class:`InspectorOptions`.

    Raises:
        SyncxrError: Weights are missing or do not fit.
    """

    Options = InspectorOptions
    name = "inspector"

    def __init__(self, options: InspectorOptions | None = None) -> None:
        self.options = options or InspectorOptions()
        self._model = inspector_model(self.options.weights)
        similarity = self.options.similarity
        self._likeness = Likeness(_beside(similarity, self.options)) if similarity else None

    @property
    def record(self) -> dict[str, Any]:
        """What the answers depend on."""
        likeness = self._likeness.record() if self._likeness else None
        return {"sha256": self._model.identity, "similarity": likeness}

    def score(self, images: Sequence[Image]) -> tuple[Features, Features]:
        """As :meth:`InspectorModel.score`."""
        return self._model.score(images)

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        """One verdict a film, in order.

        Raises:
            SyncxrError: As :meth:`score`.
        """
        if not len(images):
            return []
        answers, features = self.score(images)
        return [
            self.options.verdict(
                dict(zip(QUESTIONS, map(float, row), strict=True)),
                self._model.calibration.thresholds,
                value,
                self._likeness.max_similarity if self._likeness else 1.0,
            )
            for row, value in zip(answers, self._similarities(images, features), strict=True)
        ]

    def _similarities(self, images: Sequence[Image], features: Features) -> Sequence[float | None]:
        if self._likeness is None:
            return [None] * len(images)
        space = self._likeness.space
        if isinstance(space, InspectorFeatures) and space.model is self._model:
            return self._likeness.of(features)
        return self._likeness(images)


def _beside(similarity: SimilarityOptions, options: InspectorOptions) -> SimilarityOptions:
    """The comparison, in the feature space of the judge's own weights unless told otherwise."""
    if similarity.features != "inspector" or "weights" in (similarity.model_extra or {}):
        return similarity
    return SimilarityOptions(**similarity.model_dump(), weights=options.weights)


def _unusable(path: Path, error: Exception) -> SyncxrError:
    reason = str(error).splitlines()[0]
    return SyncxrError(f"{path} cannot be used ({reason}); remake it: scripts/train_inspector.py")


def _tensor(film: Image) -> torch.Tensor:
    return torch.from_numpy(film.astype(np.float32) / 255)[None, None]


def inspect(
    images: Sequence[Image | str | Path], options: InspectorOptions | None = None
) -> list[Verdict]:
    """Ask the six questions of films given as arrays or as paths.

    Args:
        images: Greyscale uint8 arrays (H, W), or paths of image files; mixed if you like.
        options: Options of the inspector.

    Returns:
        One verdict an image, in order.

    Raises:
        SyncxrError: A file cannot be read, or an array is not a greyscale uint8 image.
    """
    films = [read_film(Path(i)) if isinstance(i, str | Path) else i for i in images]
    return Inspector(options).judge(films)
