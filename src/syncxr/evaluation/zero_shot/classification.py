"""Zero-shot classification of a test set: prompts in, scores with intervals out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from syncxr.errors import SyncxrError
from syncxr.evaluation.prompts import PromptSet
from syncxr.evaluation.scoring.classification import FIXED, HALF, choose_cuts, score
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.scoring.results import TEST_TUNED, VALIDATION
from syncxr.evaluation.scoring.sheet import About, Scored
from syncxr.evaluation.testsets.test_set import TestSet
from syncxr.pretraining.prompt import Prompt
from syncxr.progress import Bar, bar
from syncxr.sample import Image

TASK = "zero-shot classification"


class Classifier(Protocol):
    """A model that answers prompts."""

    def zero_shot(
        self, images: Sequence[Image], prompts: Mapping[str, Prompt]
    ) -> NDArray[np.floating[Any]]:
        """Scores (N, K)."""
        ...


class Films(Sequence[Image]):
    """Films of a set, each decoded when it is looked at, so that few are in memory at a time.

    Args:
        test_set: Whose films.
        prepare: Called with each film's place and the film; what it gives is looked at.
    """

    def __init__(
        self, test_set: TestSet, prepare: Callable[[int, Image], Image] | None = None
    ) -> None:
        self._test_set, self._prepare = test_set, prepare

    def __len__(self) -> int:
        """Number of films."""
        return len(self._test_set.items)

    @overload
    def __getitem__(self, place: int) -> Image: ...
    @overload
    def __getitem__(self, place: slice) -> list[Image]: ...
    def __getitem__(self, place: int | slice) -> Image | list[Image]:
        """One film, or several."""
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        film = self._test_set.film(self._test_set.items[place])
        return self._prepare(place, film) if self._prepare else film


def predict(
    model: Classifier,
    test_set: TestSet,
    prompt_set: PromptSet,
    *,
    findings: Sequence[str] | None = None,
    films: Films | None = None,
) -> Predictions:
    """What a model says of every film of a set.

    The texts are read once; films are asked for in slices by the model.

    Args:
        model: With its own preprocessing.
        test_set: Films and labels.
        prompt_set: Texts.
        findings: Which of the set's findings; all by default.
        films: The set's films, where they are to be prepared in some way first.

    Raises:
        SyncxrError: A film does not open, a label is wrong, or a score is not finite; names file
            and row.
    """
    asked = tuple(findings or test_set.findings)
    prompts = prompt_set.prompts(asked)
    with bar("zero-shot", len(test_set.items)) as progress:
        watched = _Watched(films or Films(test_set), progress)
        scores = model.zero_shot(watched, prompts)
    return Predictions.of(test_set, asked, scores)


class _Watched(Sequence[Image]):
    """Films that move a bar on as they are looked at."""

    def __init__(self, films: Sequence[Image], progress: Bar) -> None:
        self._films, self._progress = films, progress

    def __len__(self) -> int:
        return len(self._films)

    @overload
    def __getitem__(self, place: int) -> Image: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Image]: ...
    def __getitem__(self, place: int | slice) -> Image | Sequence[Image]:
        found = self._films[place]
        self._progress.advance(len(found) if isinstance(place, slice) else 1)
        return found


def score_zero_shot(
    predictions: Predictions,
    prompt_set: PromptSet,
    *,
    model: str,
    validation: Predictions | None = None,
    preprocessing: str = "",
    samples: int = 1000,
    seed: int = 0,
) -> Scored:
    """Threshold-free scores, and F1, accuracy and MCC by each protocol that can be had.

    Protocols: thresholds chosen on ``validation`` where it is given, else ``"fixed 0.5"`` where
    scores are probabilities; and always those tuned on the test set itself, under their own name
    (MAVL's protocol).

    Args:
        predictions: On the test set.
        prompt_set: That was asked with.
        model: Name of the checkpoint.
        validation: The same model's predictions on other films, same findings.
        preprocessing: How films were prepared.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: ``validation`` has other findings.
    """
    cuts: dict[str, Any] = {}
    if validation is not None:
        if validation.findings != predictions.findings:
            raise ValueError("validation predictions are of other findings")
        cuts[VALIDATION] = choose_cuts(validation)
    elif prompt_set.probabilities:
        cuts[FIXED] = [HALF] * len(predictions.findings)
    cuts[TEST_TUNED] = choose_cuts(predictions)
    about = About(TASK, model, prompt_set.title, preprocessing)
    return score(predictions, about, cuts=cuts, samples=samples, seed=seed)


def evaluate(
    model: Classifier,
    test_set: TestSet,
    prompt_set: PromptSet,
    *,
    name: str,
    validation: TestSet | None = None,
    findings: Sequence[str] | None = None,
    samples: int = 1000,
    seed: int = 0,
) -> Scored:
    """:func:`predict` on the set and its validation films, then :func:`score_zero_shot`.

    Raises:
        SyncxrError: As :func:`predict`; or validation and test films overlap.
    """
    on_test = predict(model, test_set, prompt_set, findings=findings)
    on_validation = None
    if validation is not None:
        assert_apart(test_set, validation)
        on_validation = predict(model, validation, prompt_set, findings=on_test.findings)
    return score_zero_shot(
        on_test,
        prompt_set,
        model=name,
        validation=on_validation,
        preprocessing=preprocessing_words(model),
        samples=samples,
        seed=seed,
    )


def assert_apart(test_set: TestSet, other: TestSet) -> None:
    """Refuse thresholds from the films or patients that are scored.

    Raises:
        SyncxrError: The two share a film, or a patient where both name them.
    """
    for kind, mine, theirs in (
        ("film", [item.id for item in test_set.items], [item.id for item in other.items]),
        ("patient", [i.patient for i in test_set.items], [i.patient for i in other.items]),
    ):
        if shared := sorted({*mine} & {*theirs} - {""}):
            raise SyncxrError(
                f"splits {test_set.split!r} and {other.split!r} of {test_set.name} share the "
                f"{kind} {shared[0]!r} ({len(shared)} in all); give validation data of its own"
            )


def preprocessing_words(model: object) -> str:
    """How a model prepares films, in words; ``""`` where it does not say."""
    prepared = getattr(model, "preprocessing", None)
    if prepared is None:
        return ""
    return f"{prepared.size} px{', equalised' if prepared.equalise else ''}"
