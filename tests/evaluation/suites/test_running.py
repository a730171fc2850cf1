"""A suite end to end, through files, splits, cache and cells.

The tower's features are block means of the film, so they bear the watermark that says the labels.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch import nn

from syncxr.errors import SyncxrError
from syncxr.evaluation.finetuning.linear import LinearProbe
from syncxr.evaluation.scoring.predictions import labels_of
from syncxr.evaluation.scoring.results import MEAN, Result
from syncxr.evaluation.scoring.sheet import Scored
from syncxr.evaluation.suites import bench as benches
from syncxr.evaluation.suites import finetuned, running
from syncxr.evaluation.suites.bench import Bench, Loaded
from syncxr.evaluation.suites.cells import run
from syncxr.evaluation.suites.finetuned import _classified
from syncxr.evaluation.suites.running import run_suite
from syncxr.evaluation.suites.suite import Suite, Work
from syncxr.evaluation.testsets.folder import Folder
from syncxr.evaluation.testsets.test_set import TestSet, open_test_set
from syncxr.evaluation.zero_shot.strict import PROTOCOLS
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.preprocessing import Preprocessing

FINDINGS = ("nodule", "pleural effusion", "pneumonia", "pneumothorax")


class Blocks(nn.Module):
    """Block means of a film as its feature."""

    channels = 64

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.looked = 0

    def forward(self, images: torch.Tensor) -> SimpleNamespace:
        self.looked += len(images)
        return SimpleNamespace(pooled=nn.functional.adaptive_avg_pool2d(images, 8).flatten(1))


def clinic(folder: Path, painter: Callable, count: int, *, shuffled: int | None = None) -> Path:
    """Films of ``count`` patients with labels and masks; training labels may be shuffled."""
    folder.mkdir()
    generator = np.random.default_rng(7)
    shown = generator.random((count, len(FINDINGS))) < 0.4
    split = np.array(["train", "train", "train", "valid", "test"])[np.arange(count) % 5]
    told = shown.copy()
    if shuffled is not None:
        for part in (split == "train", split == "valid"):
            told[part] = np.random.default_rng(shuffled).permutation(told[part])
    rows = [",".join(["file", "patient", "split", "mask:shadow", *FINDINGS])]
    for index in range(count):
        names = [name for name, there in zip(FINDINGS, shown[index], strict=True) if there]
        x, y = generator.integers(8, 36, 2)
        film = painter(names, (64, 64), {"nodule": (x, y, 20, 20)}, index)
        mask = np.zeros((64, 64), np.uint8)
        if index % 3:
            mask[y : y + 20, x : x + 20] = 255
        else:
            film = painter(names, (64, 64), seed=index)
        Pillow.fromarray(film).save(folder / f"{index}.png")
        Pillow.fromarray(mask).save(folder / f"{index}-mask.png")
        labels = ",".join(str(int(value)) for value in told[index])
        rows.append(f"{index}.png,p{index},{split[index]},{index}-mask.png,{labels}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def suite(**task: object) -> Suite:
    return Suite.model_validate({"about": "a test", "tasks": [{"sets": ["folder"], **task}]})


def linear(**changes: object) -> Suite:
    return suite(task="linear", **{"fractions": [1.0], "seeds": [0], **changes})


@pytest.fixture
def towers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Blocks]:
    """Checkpoints by folder name, without their files."""
    made = {"a": Blocks(), "b": Blocks()}

    def describe(path: Path) -> SimpleNamespace:
        return SimpleNamespace(weights_sha256=path.name, preprocessing=Preprocessing(size=64))

    def load(path: Path) -> SimpleNamespace:
        return SimpleNamespace(image_encoder=made[path.name], preprocessing=Preprocessing(size=64))

    monkeypatch.setattr(running, "describe", describe)
    monkeypatch.setattr(running, "load", load)
    return made


def mean(rows: tuple, metric: str = "AUROC") -> list[float]:
    return [r.value for r in rows if (r.finding, r.metric) == (MEAN, metric)]


def test_label_bearing_features_and_shuffled_labels(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks]
) -> None:
    films = clinic(tmp_path / "films", painter, 300)
    options = {"options": {"epochs": 200, "learning_rate": 5e-3}}
    found = run_suite(
        {"m": Path("a")}, linear(**options), {"folder": films}, tmp_path / "out", samples=50
    )
    (value,) = mean(found.results)
    assert value >= 0.99
    assert min(mean(found.results, "F1")) > 0.9
    row = found.results[0]
    assert row.protocol == "linear (learning_rate 0.005, epochs 200)"
    assert row.units == "60 patients" and row.split.startswith("test ")
    chance = []
    for seed in range(3):
        wrong = clinic(tmp_path / f"wrong {seed}", painter, 300, shuffled=seed)
        again = run_suite(
            {"m": Path("a")}, linear(), {"folder": wrong}, tmp_path / f"out {seed}", samples=20
        )
        chance += [r.value for r in again.results if r.metric == "AUROC" and r.finding != MEAN]
    # A shuffle may lean either way on a feature that says the label: over all they cancel out.
    assert 0.3 < np.mean(chance) < 0.7 and max(chance) < 0.99


def test_oracle_predictions_are_1_through_the_same_scorer(
    tmp_path: Path, painter: Callable
) -> None:
    bench = Bench({"folder": clinic(tmp_path / "films", painter, 100)}, tmp_path / "cache")
    loaded = Loaded("oracle", "", SimpleNamespace(preprocessing=Preprocessing(size=64)))
    work = Work(linear().tasks[0], "folder", fraction=1.0)
    parts = bench.apart(work)
    right = [labels_of(part, FINDINGS) for part in parts]
    (scored,) = _classified(bench, loaded, work, parts, right[1], right[2], {}).scored
    assert {row.metric for row in scored.results} == {"AUROC", "AP", "F1", "accuracy", "MCC"}
    assert all(row.value == 1 for row in scored.results)
    (scored,) = _classified(bench, loaded, work, parts, right[1], 1 - right[2], {}).scored
    assert all(row.value == 0 for row in scored.results if row.metric == "AUROC")


def test_goes_on_where_it_stopped_and_keeps_names_apart(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks], monkeypatch: pytest.MonkeyPatch
) -> None:
    films = {"folder": clinic(tmp_path / "films", painter, 60)}
    both = {"one": Path("a"), "two": Path("b")}
    whole = linear(seeds=[0, 1])
    fit = finetuned.fit_linear
    calls = []

    def dies(*given: object) -> LinearProbe:
        calls.append(given[-1])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(*given)

    monkeypatch.setattr(finetuned, "fit_linear", dies)
    with pytest.raises(KeyboardInterrupt):
        run_suite(both, whole, films, tmp_path / "out", samples=50)
    found = run_suite(both, whole, films, tmp_path / "out", samples=50)
    assert (found.cells, found.done_before, len(calls)) == (4, 2, 5)
    # Films were decoded once, and looked at once by each tower.
    assert towers["a"].looked == towers["b"].looked == 60
    renamed = run_suite(
        {"uno": Path("a"), "two": Path("b")}, whole, films, tmp_path / "out", samples=50
    )
    assert (renamed.done_before, {row.model for row in renamed.results}) == (4, {"uno", "two"})
    strange = {r.value for r in found.results} ^ {r.value for r in renamed.results}
    assert not {value for value in strange if value == value}


def test_changed_labels_are_scored_again(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks]
) -> None:
    films = clinic(tmp_path / "films", painter, 60)
    run_suite({"m": Path("a")}, linear(), {"folder": films}, tmp_path / "out", samples=20)
    table = (films / "labels.csv").read_text().splitlines()
    table[1] = table[1][:-1] + str(1 - int(table[1][-1]))
    (films / "labels.csv").write_text("\n".join(table) + "\n")
    again = run_suite({"m": Path("a")}, linear(), {"folder": films}, tmp_path / "out", samples=20)
    assert again.done_before == 0
    assert towers["a"].looked == 60  # the films are the same


def test_means_over_seeds_and_paired_differences(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks]
) -> None:
    films = {"folder": clinic(tmp_path / "films", painter, 260)}
    found = run_suite(
        {"one": Path("a"), "two": Path("b")}, linear(seeds=[0, 1, 2]), films, tmp_path / "out",
        samples=100,
    )  # fmt: skip
    ours = [r for r in found.results if (r.model, r.finding, r.metric) == ("one", MEAN, "AUROC")]
    singles = [r.value for r in ours if r.protocol == "linear"]
    (merged,) = [r for r in ours if r.protocol == "linear; mean of 3 seeds"]
    assert merged.value == pytest.approx(np.mean(singles)) and len(singles) == 3
    assert f"{np.std(singles, ddof=1):.3f}" in merged.note
    assert merged.low <= merged.value <= merged.high
    # Both towers are the same function: no difference, and no sample says otherwise.
    (apart,) = [r for r in found.differences if (r.finding, r.metric) == (MEAN, "AUROC difference")]
    assert (apart.value, apart.low, apart.high, apart.p) == (0, 0, 0, 1)


def test_what_was_measured_on_other_films_is_not_compared() -> None:
    row = Result(
        task="fine-tuned segmentation", model="a", test_set="t", split="s", finding=MEAN,
        protocol="p", metric="Dice", value=0.5, n=60, positives=1, units="60 images",
        preprocessing="128 px",
    )  # fmt: skip
    mine = Scored((row,), (np.zeros(3),), "x")
    theirs = Scored((replace(row, model="b", preprocessing="32 px"),), (np.zeros(3),), "y")
    assert "a and b are not compared on t" in running._unlike(mine, theirs)


def test_zero_shot_needs_no_training_films(
    tmp_path: Path, painter: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = suite(task="zero-shot", split="test").tasks[0]
    work = Work(task, "folder", "pair")
    opened = []

    def parted(name: str, path: Path, split: str) -> TestSet:
        opened.append(split)
        if split == "valid" and missing:
            raise SyncxrError("film 3 is missing")
        return open_test_set(name, path, split)

    monkeypatch.setattr(benches, "open_test_set", parted)
    films = clinic(tmp_path / "films", painter, 20)
    keys = set()
    for missing in (False, True):
        bench = Bench({"folder": films}, tmp_path / "cache")
        keys.add(bench.content(work))
        assert (bench.thresholds_from("folder", "test") is None) is missing
    # Thresholds from elsewhere are another result.
    assert len(keys) == 2 and "train" not in opened


def test_the_test_part_is_predicted_once(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks], monkeypatch: pytest.MonkeyPatch
) -> None:
    films = {"folder": clinic(tmp_path / "films", painter, 150)}
    predict, asked = LinearProbe.predict, []

    def spy(self: LinearProbe, features: np.ndarray) -> np.ndarray:
        asked.append(len(features))
        return predict(self, features)

    monkeypatch.setattr(LinearProbe, "predict", spy)
    run_suite({"m": Path("a")}, linear(), films, tmp_path / "out", samples=20)
    assert asked == [30, 30]  # validation for the thresholds, then test


def test_segmentation_finds_the_shadow(
    tmp_path: Path, painter: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = SimpleNamespace(
        image_encoder=ImageEncoder("test_efficientnet"), preprocessing=Preprocessing(size=64)
    )
    films = {"folder": clinic(tmp_path / "films", painter, 100)}
    options = {"epochs": 5, "learning_rate": 3e-3, "batch_size": 8}
    task = suite(task="segmentation", fractions=[1.0], seeds=[0], options=options).tasks[0]
    bench = Bench(films, tmp_path / "cache", samples=100)
    outcome = run(bench, Loaded("m", "w", model), Work(task, "folder", fraction=1.0))
    values = {r.metric: r for r in outcome.scored[0].results if r.finding == "shadow"}
    assert values["Dice of positives"].value > 0.8
    assert values["Dice"].n == 20 and values["Dice of positives"].n == values["Dice"].positives
    assert values["Dice"].task == "fine-tuned segmentation"
    assert "tensors taken over" in outcome.training["encoder"]
    assert outcome.training["training_films"] == 60


def test_a_finding_without_a_training_positive_is_named(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks]
) -> None:
    films = clinic(tmp_path / "films", painter, 100)
    lines = (films / "labels.csv").read_text().splitlines()
    lines = [line[:-1] + "0" if ",train," in line else line for line in lines]
    (films / "labels.csv").write_text("\n".join(lines) + "\n")
    found = run_suite({"m": Path("a")}, linear(), {"folder": films}, tmp_path / "out", samples=20)
    assert all(
        "no positive among the training films: pneumothorax" in r.note for r in found.results
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "no test set is given: add --data NAME=PATH for some of folder"),
        ({"folder": "absent"}, "absent does not exist"),
        ({"rsna": "."}, "the suite has no test set 'rsna'"),
    ],
)
def test_bad_paths(
    data: dict[str, str], words: str, tmp_path: Path, towers: dict[str, Blocks]
) -> None:
    paths = {name: tmp_path / path for name, path in data.items()}
    with pytest.raises(SyncxrError, match=words):
        run_suite({"m": Path("a")}, linear(), paths, tmp_path / "out")


def test_a_damaged_cell_is_told(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks]
) -> None:
    films = {"folder": clinic(tmp_path / "films", painter, 60)}
    run_suite({"m": Path("a")}, linear(), films, tmp_path / "out", samples=20)
    (cell,) = (tmp_path / "out" / "cells").glob("*.json")
    record = json.loads(cell.read_text())
    del record["scored"][0]["measured_on"]
    cell.write_text(json.dumps(record))
    with pytest.raises(SyncxrError, match=r"is damaged .*; delete it and run again"):
        run_suite({"m": Path("a")}, linear(), films, tmp_path / "out", samples=20)


def test_grounding_where_nothing_is_outlined_is_passed_over_if_asked(
    tmp_path: Path, painter: Callable
) -> None:
    films = clinic(tmp_path / "films", painter, 10)
    rows = [line.split(",") for line in (films / "labels.csv").read_text().splitlines()]
    text = "\n".join(",".join(row[:3] + row[4:]) for row in rows) + "\n"
    (films / "labels.csv").write_text(text)
    bench = Bench({"folder": films}, tmp_path / "cache")
    for asked, applies in ((True, False), (False, True)):
        task = suite(task="grounding", where_outlined=asked).tasks[0]
        assert bench.applies(Work(task, "folder", "pair")) is applies


def test_every_protocol_of_the_strict_rules_is_compared(
    hospital: object, tmp_path: Path, reader: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {"right": reader(1), "wrong": reader(-1)}
    monkeypatch.setattr(
        running,
        "describe",
        lambda path: SimpleNamespace(
            weights_sha256=path.name, preprocessing=Preprocessing(size=64)
        ),
    )
    monkeypatch.setattr(running, "load", lambda path: models[path.name])
    for _ in range(2):  # The second time out of finished cells.
        found = run_suite(
            {"right": Path("right"), "wrong": Path("wrong")},
            suite(task="strict"),
            {"folder": hospital.path},
            tmp_path / "out",
            samples=20,
        )
        apart = {
            row.protocol: row.value
            for row in found.differences
            if (row.finding, row.metric) == (MEAN, "AUROC difference")
        }
        assert apart == dict.fromkeys(PROTOCOLS, 1.0)
    assert {row.model for row in found.results} == {"right", "wrong", "brightness alone"}


def test_every_set_is_opened_before_anything_is_trained(
    tmp_path: Path, painter: Callable, towers: dict[str, Blocks]
) -> None:
    both = linear(sets=["folder", "covidx-cxr2"])
    (tmp_path / "covidx").mkdir()
    paths = {"folder": clinic(tmp_path / "films", painter, 60), "covidx-cxr2": tmp_path / "covidx"}
    with pytest.raises(SyncxrError, match=r"test\.txt is missing"):
        run_suite({"m": Path("a")}, both, paths, tmp_path / "out", samples=20)
    assert towers["a"].looked == 0


def test_a_changed_box_is_scored_again_and_other_files_are_not(
    tmp_path: Path, painter: Callable
) -> None:
    films = clinic(tmp_path / "films", painter, 10)
    table = tmp_path / "elsewhere.csv"
    text = 'file,labels,bbox\n0.png,Nodule,"Nodule:1,2,30,40"\n'
    work = Work(suite(task="grounding", split="all").tasks[0], "folder", "pair")

    def content() -> str:
        return Bench({"folder": films}, tmp_path / "cache", labels=table).content(work)

    table.write_text(text)
    first = content()
    (films / "runs").mkdir()
    (films / "runs" / "results.json").write_text("[]")
    assert content() == first
    table.write_text(text.replace("1,2,", "11,2,"))
    assert content() != first


def test_a_mask_that_vanishes_at_the_towers_size_is_named(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    folder = tmp_path / "films"
    folder.mkdir()
    rows = ["file,split,nodule,mask"]
    for index, split in enumerate(["train", "train", "valid", "test", "test"]):
        film, mask = np.full((640, 640), 40 * index, np.uint8), np.zeros((640, 640), np.uint8)
        # One pixel of the last film lies between the places that 32 px keep.
        rows_drawn = slice(0, 1) if index == 4 else slice(0, 320)
        mask[rows_drawn, rows_drawn] = 255
        Pillow.fromarray(film).save(folder / f"{index}.png")
        Pillow.fromarray(mask).save(folder / f"{index}-mask.png")
        rows.append(f"{index}.png,{split},1,{index}-mask.png")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    model = SimpleNamespace(
        image_encoder=ImageEncoder("test_efficientnet"), preprocessing=Preprocessing(size=32)
    )
    task = suite(task="segmentation", options={"epochs": 1}).tasks[0]
    bench = Bench({"folder": folder}, tmp_path / "cache", samples=10)
    outcome = run(bench, Loaded("m", "w", model), Work(task, "folder", fraction=1.0))
    words = "1 masks vanish at 32 px and count as empty: 4.png"
    assert all(words in row.note for row in outcome.scored[0].results)


def test_how_a_split_came_about_and_what_is_not_in_it_stand_beside_its_numbers(
    tmp_path: Path,
    painter: Callable,
    towers: dict[str, Blocks],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Leaky(Folder):
        info = replace(Folder.info, notes=("Simulated films.",))

        def __init__(self, root: Path, split: str) -> None:
            super().__init__(root, split)
            self.split_note = "LEAKY: by row; 3 films in both"
            self.left_out = {"7.png": "broken", "9.png": "broken"}

    films = clinic(tmp_path / "films", painter, 60)
    monkeypatch.setattr(benches, "open_test_set", lambda _, path, split: Leaky(path, split))
    monkeypatch.setattr(running, "test_set_class", lambda _: Leaky)
    for _ in range(2):  # The second time out of a finished cell.
        found = run_suite(
            {"m": Path("a")}, linear(), {"folder": films}, tmp_path / "out", samples=20
        )
        assert found.notes == ("folder: Simulated films.",)
        for row in found.results:
            assert "LEAKY: by row, 3 films in both; 2 films left out by name, the first" in row.note
            assert "7.png (broken)" in row.note
