"""Which figure stands where, what is in bold, what is told below."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from syncxr.errors import SyncxrError
from syncxr.evaluation.reporting.layout import tables
from syncxr.evaluation.reporting.published import read_published
from syncxr.evaluation.scoring.results import MEAN, NAN, Result

ROW = Result(
    task="zero-shot classification", model="a", test_set="RSNA", split="test 1a2b", finding=MEAN,
    protocol="threshold-free", prompt_set="pair 00ff", metric="AUROC", value=0.8, low=0.7,
    high=0.9, n=900, positives=1, units="900 patients", samples=1000, preprocessing="224 px",
)  # fmt: skip


def bold(table: object) -> list[str]:
    return [name for name, own in table.rows for figure in own if figure and figure.best]


def test_best_of_the_models_only() -> None:
    rows = [
        ROW,
        replace(ROW, model="b", value=0.81),
        replace(ROW, model="brightness alone", value=0.99, prompt_set=""),
    ]
    published = [replace(ROW, model="they", value=0.999, n=0, samples=0, low=NAN, high=NAN)]
    (table,) = tables(rows, ["a", "b"], published)
    assert [name for name, _ in table.rows] == ["a", "b", "brightness alone", "they"]
    assert bold(table) == ["b"] and table.models == 2
    assert table.rows[3][1][0].number == "0.999" and table.rows[3][1][0].interval == ""


def test_equal_as_printed_is_equally_good() -> None:
    rows = [ROW, replace(ROW, model="b", value=0.80004), replace(ROW, model="c", value=0.7)]
    assert bold(tables(rows, ["a", "b", "c"])[0]) == ["a", "b"]


def test_one_model_is_not_best() -> None:
    assert bold(tables([ROW], ["a"])[0]) == []


def test_under_50_items_the_interval_only() -> None:
    few = [replace(ROW, n=49), replace(ROW, model="b", value=0.9, n=49)]
    (table,) = tables(few, ["a", "b"])
    figure = table.rows[0][1][0]
    assert (figure.number, figure.interval, bold(table)) == ("", "[0.700, 0.900]", [])


def test_what_has_no_value_is_a_dash_with_its_reason() -> None:
    row = replace(ROW, value=NAN, low=NAN, high=NAN, note="no positive")
    (table,) = tables([row, replace(ROW, model="b")], ["a", "b"])
    assert table.rows[0][1][0].number == "–" and "RSNA: no positive." in table.remarks


def test_sets_and_fractions_are_columns() -> None:
    rows = [
        replace(ROW, task="fine-tuned classification", test_set=name, fraction=share, prompt_set="")
        for name in ("RSNA", "SIIM-ACR")
        for share in (0.01, 1.0)
    ]
    (table,) = tables(rows[:3], ["a"])
    assert [(c.head, c.sub) for c in table.columns] == [
        ("RSNA", "1 %"), ("RSNA", "100 %"), ("SIIM-ACR", "1 %"),
    ]  # fmt: skip
    assert table.remarks[0] == "RSNA: split test 1a2b; 900 films; 900 patients resampled."


def test_prompt_sets_and_protocols_stand_apart() -> None:
    rows = [
        ROW,
        replace(ROW, prompt_set="single 11ee"),
        replace(ROW, metric="F1", protocol="thresholds from validation"),
        replace(ROW, metric="F1", protocol="test-tuned (MAVL)"),
    ]
    assert len(tables(rows, ["a"])) == 4


def test_a_baseline_of_another_protocol_stands_beside_all() -> None:
    grounding = replace(ROW, task="zero-shot grounding", metric="IoU", protocol="fixed 0.5")
    rows = [
        grounding,
        replace(grounding, protocol="swept on test"),
        replace(grounding, model="no model", protocol="whole film called", prompt_set=""),
    ]
    found = tables(rows, ["a"])
    assert [[name for name, _ in table.rows] for table in found] == [["a", "no model"]] * 2


def test_single_seeds_give_way_to_their_mean() -> None:
    tuned = replace(ROW, task="fine-tuned classification", fraction=0.1, prompt_set="")
    rows = [
        replace(tuned, protocol="linear", seed=0),
        replace(tuned, protocol="linear", seed=1),
        replace(tuned, protocol="linear; mean of 2 seeds", value=0.85),
    ]
    (table,) = tables(rows, ["a"])
    assert "mean of 2 seeds" in table.title and table.rows[0][1][0].value == 0.85


def test_findings_of_a_set_come_after_the_means() -> None:
    rows = [ROW, *(replace(ROW, finding=name, positives=30) for name in ("nodule", "mass"))]
    first, second = tables(rows, ["a"])
    assert first.main and not second.main
    assert [column.head for column in second.columns] == ["nodule", "mass"]
    assert second.columns[0].measured_on.startswith("split test 1a2b; 30 of 900 films")


def test_other_sizes_of_films_are_told() -> None:
    (table,) = tables([ROW, replace(ROW, model="b", preprocessing="128 px")], ["a", "b"])
    assert "224 px (a), 128 px (b)" in table.subtitle


def test_published_numbers(tmp_path: Path) -> None:
    path = tmp_path / "they.yaml"
    number = {
        "model": "They", "task": "zero-shot classification", "test_set": "rsna",
        "metric": "AUROC", "value": 0.5,
    }  # fmt: skip
    path.write_text(yaml.safe_dump({"source": "A paper, table 1", "numbers": [number]}))
    (row,) = read_published(path)
    assert (row.model, row.finding, row.n) == ("They (published)", MEAN, 0)
    (table,) = tables([replace(ROW, test_set=row.test_set)], ["a"], [row])
    assert "as published in A paper, table 1, not measured here" in table.remarks[-1]
    for broken, words in (({"value": "high"}, "value"), ({"metrics": 1}, "metrics")):
        path.write_text(yaml.safe_dump({"source": "x", "numbers": [{**number, **broken}]}))
        with pytest.raises(SyncxrError, match=words):
            read_published(path)
