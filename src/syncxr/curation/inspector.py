"""The embedded judge: six answers and a likeness to known-bad films, without any hub or GPU."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from safetensors import SafetensorError
from safetensors.torch import load_file

from syncxr.corpora.films import read_film
from syncxr.curation.judge import QUESTIONS, Verdict
from syncxr.curation.network import InspectorNet, prepare
from syncxr.curation.similarity import Features, KnownBad
from syncxr.errors import SyncxrError
from syncxr.sample import Image
from syncxr.threads import torch_threads

WEIGHTS = Path(__file__).parent / "weights"
"""``inspector.safetensors``, ``known_bad.safetensors`` and ``inspector.json``, as
``scripts/train_inspector.py`` writes them."""

SIMILAR = "similar_to_bad"
"""The seventh reason, beside the names of the questions."""


class InspectorOptions(BaseModel):
    """Options of the inspector.

    Attributes:
        weights: Folder with weights, bank and thresholds; the ones in the package by default.
        thresholds: Question to the least probability of yes that passes, in [0, 1], instead of
            the one fixed on simulated films.
        max_similarity: Greatest cosine to a known-bad film that passes, instead of the
            calibrated one; 1 switches this check off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: Path = WEIGHTS
    thresholds: dict[str, float] = Field(default_factory=dict)
    max_similarity: float | None = Field(default=None, ge=-1, le=1)

    @field_validator("thresholds")
    @classmethod
    def _known_questions(cls, value: dict[str, float]) -> dict[str, float]:
        for question, threshold in value.items():
            if question not in QUESTIONS:
                raise ValueError(f"{question!r} is no question; known: {', '.join(QUESTIONS)}")
            if not 0 <= threshold <= 1:
                raise ValueError(f"{question!r}: {threshold} is not in [0, 1]")
        return value


@dataclass(frozen=True)
class Calibration:
    """What was fixed on simulated films after training.

    Attributes:
        thresholds: Question to the least probability that passes.
        max_similarity: Greatest cosine to the bank that passes.
    """

    thresholds: dict[str, float]
    max_similarity: float


class Inspector:
    """Answers the six questions with a small network trained on simulated films.

    Each film goes through the network alone and on one thread, so that its verdict depends on no
    other film and on no batch size, to the last bit; at this size a batch would gain nothing.

    Args:
        options: See :class:`InspectorOptions`.

    Raises:
        SyncxrError: Weights are missing or do not fit.
    """

    Options = InspectorOptions
    name = "inspector"

    def __init__(self, options: InspectorOptions | None = None) -> None:
        self.options = options or InspectorOptions()

    @cached_property
    def _network(self) -> InspectorNet:
        network = InspectorNet()
        name = "inspector.safetensors"
        saved = {key: value.float() for key, value in self._load(name).items()}
        try:
            network.load_state_dict(saved)
        except RuntimeError as error:
            raise _unusable(self.options.weights / name, error) from error
        return network.eval().to(memory_format=torch.channels_last)

    @cached_property
    def bank(self) -> KnownBad:
        """The known-bad films."""
        saved = self._load("known_bad.safetensors")
        return KnownBad(saved["bank"].float().numpy(), saved["centre"].float().numpy())

    def _load(self, name: str) -> dict[str, torch.Tensor]:
        try:
            return dict(load_file(self.options.weights / name))
        except (OSError, SafetensorError) as error:
            raise _unusable(self.options.weights / name, error) from error

    @cached_property
    def calibration(self) -> Calibration:
        """Thresholds in use: those of the weights, then those of the options."""
        record = json.loads((self.options.weights / "inspector.json").read_text())
        chosen = self.options.max_similarity
        return Calibration(
            {**record["thresholds"], **self.options.thresholds},
            record["max_similarity"] if chosen is None else chosen,
        )

    def score(self, images: Sequence[Image]) -> tuple[Features, Features]:
        """Probabilities of yes (N, 6), in the order of the questions, and features (N, 128).

        Raises:
            SyncxrError: An image is not greyscale uint8 with at least 16 pixels a side.
        """
        answers = np.zeros((len(images), len(QUESTIONS)), np.float32)
        features = np.zeros((len(images), self.bank.bank.shape[1]), np.float32)
        with torch_threads(1), torch.inference_mode():
            for index, image in enumerate(images):
                coarse, fine = (_tensor(part) for part in prepare(_checked(image, index)))
                logits, embedding = self._network(coarse, fine)
                answers[index] = torch.sigmoid(logits[0]).numpy()
                features[index] = embedding[0].numpy()
        return answers, features

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        """One verdict a film, in order.

        Raises:
            SyncxrError: As :meth:`score`.
        """
        if not len(images):
            return []
        answers, features = self.score(images)
        # Row by row: a product of another height may round otherwise.
        similar = [float(self.bank.similarity(row[None])[0]) for row in features]
        return [self._verdict(row, value) for row, value in zip(answers, similar, strict=True)]

    def _verdict(self, answers: Features, similarity: float) -> Verdict:
        named = dict(zip(QUESTIONS, map(float, answers), strict=True))
        reasons = [q for q, answer in named.items() if answer < self.calibration.thresholds[q]]
        if similarity > self.calibration.max_similarity:
            reasons.append(SIMILAR)
        return Verdict(named, similarity, tuple(reasons))


def _unusable(path: Path, error: Exception) -> SyncxrError:
    reason = str(error).splitlines()[0]
    return SyncxrError(f"{path} cannot be used ({reason}); remake it: scripts/train_inspector.py")


def _tensor(film: Image) -> torch.Tensor:
    return torch.from_numpy(film.astype(np.float32) / 255)[None, None]


def _checked(image: Image, index: int) -> Image:
    shape = getattr(image, "shape", ())
    if len(shape) != 2 or image.dtype != np.uint8 or min(shape) < 16:
        raise SyncxrError(
            f"image {index}: expected greyscale uint8 of at least 16 × 16 pixels, got "
            f"{getattr(image, 'dtype', type(image).__name__)} {shape}; convert it first"
        )
    return image


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
