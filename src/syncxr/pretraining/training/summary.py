"""What came of a run."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from syncxr.pretraining.data.opening import Data
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.state import State


@dataclass(frozen=True)
class PretrainingSummary:
    """What came of a run.

    Attributes:
        folder: Checkpoint folder.
        method: Name of the method.
        pairs: Pairs given.
        training: Pairs an epoch trains on.
        validation: Pairs kept out.
        skipped: Samples that could not be used; the checkpoint names them.
        epochs: Whole epochs done, earlier parts of the run included.
        steps: Steps done.
        finished: False where the time limit ended it.
        seconds: Training time of all parts of the run.
        images_per_second: Over all parts of the run, validation included.
        train_loss: Mean of the last epoch, or of what was done of it.
        validation_loss: Of the weights that are kept; NaN without validation pairs.
        retrieval: R@1, R@5, R@10 among the validation pairs, film → text.
        truncated: Captions of the last epoch that were longer than the text encoder's limit.
        loaded: What each tower started from.
        data: Fingerprint of the pairs.
        configuration: sha256 of all settings but those of the data.
    """

    folder: str
    method: str
    pairs: int
    training: int
    validation: int
    skipped: int
    epochs: int
    steps: int
    finished: bool
    seconds: float
    images_per_second: float
    train_loss: float
    validation_loss: float
    retrieval: dict[str, float]
    truncated: int
    loaded: tuple[str, ...]
    data: str
    configuration: str

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def summarise(
    options: PretrainingOptions,
    folder: Path,
    data: Data,
    state: State,
    *,
    steps: int,
    finished: bool,
    loaded: tuple[str, ...],
    configuration: str,
) -> PretrainingSummary:
    """The summary of a run that is in ``state``."""
    last = state.rest or state.history[-1]
    kept = state.best if options.keep == "best" and state.history else last
    films = steps * options.batch_size * options.accumulation
    return PretrainingSummary(
        folder=str(folder),
        method=options.method.name,
        pairs=sum(source.pairs for source in data.sources),
        training=len(data.training),
        validation=len(data.validation),
        skipped=sum(len(source.skipped) for source in data.sources),
        epochs=len(state.history),
        steps=steps,
        finished=finished,
        seconds=last["seconds"],
        images_per_second=films / last["seconds"],
        train_loss=last["train_loss"],
        validation_loss=kept.get("validation_loss", math.nan),
        retrieval={key: kept[key] for key in kept if key.startswith("R@")},
        truncated=last["truncated"],
        loaded=loaded,
        data=data.fingerprint,
        configuration=configuration,
    )
