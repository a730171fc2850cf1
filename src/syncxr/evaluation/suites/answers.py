"""What a model answers about the films of a set: each film is looked at once, whatever is asked.

A look leaves the logits of the texts of every prompt set that the suite asks these films with (and
the features of a linear layer, where one is to be trained on them), under the hash of the weights,
the films and the texts. So a change of one text asks for that prompt set again, and for nothing
else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from syncxr import __version__
from syncxr.dataset.files import write_text
from syncxr.evaluation.films.features import Wanted, look, pooled
from syncxr.evaluation.prompts import PromptSet, load_prompt_set
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.suites.bench import Bench, Loaded
from syncxr.evaluation.suites.suite import GroundingTask, LinearTask, StrictTask, Work
from syncxr.evaluation.testsets.test_set import TestSet
from syncxr.evaluation.zero_shot.cases import Grounded
from syncxr.evaluation.zero_shot.grounding import ground_each
from syncxr.pretraining.encoders.features import ImageFeatures
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.zero_shot import score_prompts, texts_of


def predictions(
    bench: Bench,
    loaded: Loaded,
    work: Work,
    part: TestSet,
    findings: Sequence[str] | None = None,
    *,
    equalised: bool = False,
) -> Predictions:
    """What the model says of the films of a part, asked with the cell's prompt set.

    Args:
        bench: Test sets, and what else the suite asks.
        loaded: The model.
        work: The cell.
        part: Test or validation films of its set.
        findings: Which of the set's findings; all by default.
        equalised: Ask of the films histogram-equalised, whatever the model's preprocessing.

    Raises:
        SyncxrError: As :func:`~syncxr.evaluation.zero_shot.classification.predict`.
    """
    asked = tuple(findings or part.findings)
    own = load_prompt_set(work.prompt_set).prompts(asked)
    others = [load_prompt_set(name) for name in _asked_together(bench, work, part, equalised)]
    texts = [texts_of(own), *(texts_of(other.prompts(asked)) for other in others)]
    wanted = [_logits(loaded.model, group) for group in dict.fromkeys(texts)]
    if not equalised and _trained_on(bench, work, part):
        wanted.append(pooled(loaded.model))
    films = bench.films(part, loaded, equalised=equalised)
    found = look(loaded.model, loaded.weights, films, wanted, bench.cache)
    return Predictions.of(part, asked, score_prompts(np.array(found[0]), own))


def features(bench: Bench, loaded: Loaded, part: TestSet) -> NDArray[np.float32]:
    """Global features of the image tower, (N, C)."""
    films = bench.films(part, loaded)
    (found,) = look(loaded.model, loaded.weights, films, [pooled(loaded.model)], bench.cache)
    return np.array(found)


def grounded(bench: Bench, loaded: Loaded, work: Work, part: TestSet) -> Grounded:
    """Where the model points in the films of a part, asked with the cell's prompt set.

    One look at a film serves every prompt set of the task.

    Raises:
        SyncxrError: As :func:`~syncxr.evaluation.zero_shot.grounding.ground`.
    """
    assert isinstance(work.task, GroundingTask)
    names = dict.fromkeys([work.prompt_set, *work.task.prompt_sets])
    kept: dict[str, Grounded] = {}
    stores = {}
    for name in names:
        key = _grounding_key(bench, loaded, work, part, load_prompt_set(name))
        stores[name] = bench.cache / "grounding" / f"{key[:32]}.json"
        try:
            kept[name] = Grounded.from_json(stores[name].read_text("utf-8"))
        except (OSError, ValueError):
            continue
    if missing := [name for name in names if name not in kept]:
        made = ground_each(loaded.model, part, [load_prompt_set(name) for name in missing])
        for name, found in zip(missing, made, strict=True):
            write_text(stores[name], found.to_json())
            kept[name] = found
    return kept[work.prompt_set]


def _logits(model: DualEncoder, texts: tuple[str, ...]) -> Wanted:
    """Logits of texts; they are read once, together, and only if they are not in the cache."""
    ask = cache(lambda: model.ask(texts))

    def of(seen: ImageFeatures) -> Tensor:
        return ask()(seen)

    return Wanted(json.dumps(["logits", __version__, *texts]), (len(texts),), of)


def _asked_together(bench: Bench, work: Work, part: TestSet, equalised: bool) -> list[str]:
    """Prompt sets of the other cells of the suite that ask the same films."""
    return [
        other.prompt_set
        for other in bench.plan
        if other.test_set == work.test_set
        and (isinstance(other.task, StrictTask) or not equalised)
        and part.split in bench.asked_splits(other)
    ]


def _trained_on(bench: Bench, work: Work, part: TestSet) -> bool:
    """Whether a cell of the suite takes a linear layer's features from these films."""
    return part.split in ("train", "valid", "test") and any(
        other.test_set == work.test_set and isinstance(other.task, LinearTask)
        for other in bench.plan
    )


def _grounding_key(
    bench: Bench, loaded: Loaded, work: Work, part: TestSet, prompt_set: PromptSet
) -> str:
    prompts = prompt_set.prompts(part.targets)
    identity = {
        "weights_sha256": loaded.weights,
        "preprocessing": loaded.model.preprocessing.model_dump(mode="json"),
        "content": bench.outlined_content(work.test_set, part.split),
        "prompts": {name: [prompt.positive, prompt.combine] for name, prompt in prompts.items()},
        "code": __version__,
    }
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()
