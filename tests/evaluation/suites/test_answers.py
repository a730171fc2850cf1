"""Each film is looked at once per model, whatever a suite asks, and the numbers stay the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Pillow
from tiny_dual_encoder import tiny_dual_encoder

from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.scoring.results import Result
from syncxr.evaluation.suites import running
from syncxr.evaluation.suites.running import SuiteRun, run_suite
from syncxr.evaluation.suites.suite import Suite
from syncxr.evaluation.testsets.folder import Folder
from syncxr.evaluation.zero_shot.classification import evaluate
from syncxr.evaluation.zero_shot.grounding import ground
from syncxr.evaluation.zero_shot.grounding_scores import score_grounding
from syncxr.evaluation.zero_shot.strict import BRIGHTNESS, evaluate_strictly
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.preprocessing import equalise

ZERO_SHOT, STRICT = ("pair", "ensemble", "severity-location"), ("pair", "single")
TEST, VALID, OUTLINED = 80, 40, 90


@dataclass
class Watched:
    """A model, how many films its tower saw, and how often it read texts."""

    model: DualEncoder
    weights: str = "one"
    seen: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model.image_encoder.register_forward_hook(
            lambda _, given, __: self.seen.append(len(given[0]))
        )
        self.model.text_encoder.register_forward_hook(
            lambda _, given, __: self.read.append(len(given[0].ids))
        )

    def looks(self) -> int:
        """Films seen since the last call."""
        total = sum(self.seen)
        self.seen.clear()
        return total


@pytest.fixture(params=["convirt", "gloria"])
def watched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Watched:
    found = Watched(tiny_dual_encoder(request.param))
    monkeypatch.setattr(
        running,
        "describe",
        lambda _: SimpleNamespace(
            weights_sha256=found.weights, preprocessing=found.model.preprocessing
        ),
    )
    monkeypatch.setattr(running, "load", lambda _: found.model)
    return found


def suite(*tasks: dict[str, object]) -> Suite:
    whole = [{"sets": ["folder"], "split": "test", **task} for task in tasks]
    return Suite.model_validate({"about": "a test", "tasks": whole})


EVERYTHING = suite(
    {"task": "zero-shot", "prompt_sets": ZERO_SHOT},
    {"task": "strict", "prompt_sets": STRICT},
    {"task": "grounding", "prompt_sets": STRICT},
)


@pytest.fixture
def scored(hospital: object, tmp_path: Path, watched: Watched) -> Callable[..., SuiteRun]:
    def run(what: Suite = EVERYTHING, films: Path = hospital.path) -> SuiteRun:
        return run_suite({"m": Path("m")}, what, {"folder": films}, tmp_path / "out", samples=20)

    return run


def numbers(rows: Iterator[Result] | tuple[Result, ...]) -> dict[tuple[str, ...], str]:
    return {
        (r.task, r.model, r.prompt_set, r.finding, r.protocol, r.metric): repr(
            (r.value, r.low, r.high, r.threshold, r.n, r.positives)
        )
        for r in rows
    }


def test_one_look_a_film_and_none_when_it_goes_on(
    scored: Callable[..., SuiteRun], watched: Watched, tmp_path: Path
) -> None:
    first = scored()
    # Test films as they are and equalised, validation films; and what is outlined in either.
    assert watched.looks() == 2 * TEST + VALID + OUTLINED
    texts = sum(watched.read)
    assert scored().done_before == 7 and watched.looks() == 0
    # Without the cells, out of the cache alone.
    for cell in (tmp_path / "out" / "cells").iterdir():
        cell.unlink()
    again = scored()
    assert again.done_before == 0 and watched.looks() == 0 and sum(watched.read) == texts
    assert numbers(again.results) == numbers(first.results)


def test_the_numbers_are_those_of_asking_by_each_prompt_set_alone(
    scored: Callable[..., SuiteRun], watched: Watched, hospital: object
) -> None:
    found = numbers(scored().results)
    test, valid = (Folder(hospital.path, split) for split in ("test", "valid"))
    model, expected = watched.model, {}
    for name in ZERO_SHOT:
        prompts = load_prompt_set(name)
        alone = evaluate(model, test, prompts, name="m", validation=valid, samples=20)
        expected |= numbers(alone.results)
    for name in STRICT:
        prompts = load_prompt_set(name)
        for one in evaluate_strictly(model, test, prompts, name="m", samples=20):
            expected |= numbers(one.results)
        pointed, elsewhere = (ground(model, part, prompts) for part in (test, valid))
        expected |= numbers(
            score_grounding(pointed, prompts, model="m", validation=elsewhere, samples=20).results
        )
    assert any(BRIGHTNESS in key for key in expected)
    assert {key: found[key] for key in expected} == expected


def test_another_text_weight_or_film_is_asked_again(
    scored: Callable[..., SuiteRun], watched: Watched, tmp_path: Path, hospital: object
) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text("about: mine\naffirm: ['{finding}']\ndeny: ['no {finding}']\n")
    what = suite({"task": "zero-shot", "prompt_sets": ["single", str(own)]})
    scored(what)
    assert watched.looks() == TEST + VALID
    # Words that change nothing that is read are scored again and not looked at again.
    own.write_text(own.read_text().replace("mine", "still mine"))
    assert scored(what).done_before == 1 and watched.looks() == 0
    watched.read.clear()
    own.write_text(own.read_text().replace("'no ", "'there is no "))
    assert scored(what).done_before == 1 and watched.looks() == TEST + VALID
    assert set(watched.read) == {6}  # two texts for each of three findings
    watched.weights = "two"
    assert scored(what).done_before == 0 and watched.looks() == TEST + VALID
    # One test film changes: its part is another one.
    films = tmp_path / "films"
    films.mkdir()
    for path in hospital.path.iterdir():
        (films / path.name).write_bytes(path.read_bytes())
    scored(what, films)
    watched.looks()
    Pillow.fromarray(np.zeros((90, 80), np.uint8)).save(films / "60.png")
    assert scored(what, films).done_before == 0 and watched.looks() == TEST


def test_a_linear_layer_learns_on_what_the_prompts_looked_at(
    scored: Callable[..., SuiteRun], watched: Watched, hospital: object, tmp_path: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for path in hospital.path.iterdir():
        (films / path.name).write_bytes(path.read_bytes())
    rows = (films / "labels.csv").read_text().splitlines()
    rows = [r.replace(",valid,", ",train,") if i <= 20 else r for i, r in enumerate(rows)]
    (films / "labels.csv").write_text("\n".join(rows) + "\n")
    zero_shot = {"task": "zero-shot", "sets": ["folder"], "split": "test"}
    linear = {"task": "linear", "sets": ["folder"], "fractions": [1.0], "seeds": [0]}
    both = Suite.model_validate({"about": "both", "tasks": [zero_shot, linear]})
    found = scored(both, films)
    assert watched.looks() == 120
    alone = run_suite(
        {"m": Path("m")},
        Suite.model_validate({"about": "one", "tasks": [linear]}),
        {"folder": films},
        tmp_path / "alone",
        samples=20,
    )
    rows_of = [row for row in found.results if row.task == "fine-tuned classification"]
    assert watched.looks() == 120 and numbers(rows_of) == numbers(alone.results)


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_equalising_twice_is_equalising_once(film: np.ndarray) -> None:
    """So a model that equalises by itself sees the same films by the strict rules as ever."""
    assert np.array_equal(equalise(equalise(film)), equalise(film))
