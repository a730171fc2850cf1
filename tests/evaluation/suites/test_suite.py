"""Suites as data files."""

from pathlib import Path

import pytest

from syncxr.errors import SyncxrError
from syncxr.evaluation.suites.suite import load_suite, suite_names, with_prompts, works


@pytest.mark.parametrize("name", suite_names())
def test_ships_and_loads(name: str) -> None:
    suite = load_suite(name)
    cells = [str(work.identity()) for work in works(suite)]
    assert len(set(cells)) == len(cells) > 0


def test_the_paper_is_all_there() -> None:
    suite = load_suite("paper")
    assert {task.task for task in suite.tasks} == {
        "zero-shot", "grounding", "linear", "full", "segmentation",
    }  # fmt: skip
    fine = [w for w in works(suite) if w.test_set == "rsna" and w.task.task == "linear"]
    assert {(w.fraction, w.seed) for w in fine} == {
        (share, seed) for share in (0.01, 0.1, 1.0) for seed in (0, 1, 2)
    }
    zero_shot = next(task for task in suite.tasks if task.task == "zero-shot")
    assert {"chexpert", "chexpert-5x200", "padchest-rare", "covidx-cxr2"} <= set(zero_shot.sets)


def test_the_protocols_numbers() -> None:
    by_name = {
        task.task: task.options for task in load_suite("paper").tasks if hasattr(task, "options")
    }
    linear, full = by_name["linear"], by_name["full"]
    assert (linear.learning_rate, linear.weight_decay, linear.batch_size) == (5e-4, 1e-6, 48)
    assert (linear.epochs, linear.patience) == (50, 10)
    assert (full.learning_rate, full.weight_decay, full.batch_size) == (1e-5, 0.02, 256)
    assert full.epochs == 60


def test_other_prompts() -> None:
    suite = with_prompts(load_suite("simulated"), "ensemble")
    assert {work.prompt_set for work in works(suite)} == {"ensemble"}
    hashes = {w.identity()["prompt_set"] for w in works(suite)}
    assert len(hashes) == 1 and hashes.pop().startswith("ensemble ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("about: x\ntasks: [{task: linear, sets: [cifar]}]", "'cifar' is unknown"),
        ("about: x\ntasks: [{task: quadratic, sets: [rsna]}]", "quadratic"),
        ("about: x\ntasks: [{task: linear, sets: [rsna], options: {epoch: 3}}]", "epoch"),
        ("about: x\ntasks: [{task: linear, sets: [rsna], fractions: [10]}]", "fractions"),
        ("about: x\ntasks: [{task: linear, sets: [chexpert]}]", "not made for the task 'linear'"),
        ("about: x\ntasks: [{task: segmentation, sets: [chestxray14]}]", "'segmentation', only"),
        ("about: x\ntasks: [{task: strict, sets: [rsna], split: dev}]", "no split 'dev'"),
        ("about: x\ntasks: [{task: strict, sets: [rsna], prompt_sets: [mine]}]", "'mine' is unkn"),
        ("about: x\ntasks: []", "tasks"),
        ("about: [", "not readable YAML"),
        ("- 1", "mine.yaml"),
    ],
)
def test_faults_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SyncxrError, match=words) as caught:
        load_suite(str(path))
    assert "\n" not in str(caught.value)


def test_unknown_prompts() -> None:
    with pytest.raises(SyncxrError, match="prompt set 'poetry' is unknown"):
        with_prompts(load_suite("simulated"), "poetry")


def test_unknown_name() -> None:
    with pytest.raises(SyncxrError, match="neither a file nor one of .*laptop"):
        load_suite("tables")
