"""Tables: means leave out by name, and everything measured on is told."""

import json
import math
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from syncxr.evaluation.tables import Column, score_table


def column(name: str, labels: list[int], scores: list[float]) -> Column:
    return Column(name, np.array(labels, bool), np.array(scores), range(len(labels)))


GOOD = column("nodule", [0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8])
BAD = column("mass", [0, 1, 0, 1], [0.9, 0.1, 0.8, 0.2])
EMPTY = column("hernia", [0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4])
FULL = column("edema", [1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4])


def table(*columns: Column, **settings: object):
    return score_table("Zero-shot", columns, test_set="made up", units="films", **settings)


def test_one_class_is_listed_and_left_out_by_name() -> None:
    found = table(GOOD, BAD, EMPTY, FULL)
    assert [row.finding for row in found.rows] == ["nodule", "mass", "hernia", "edema"]
    assert math.isnan(found.rows[2].auroc) and math.isnan(found.rows[3].auroc)
    assert found.mean == 0.5
    assert set(found.left_out) == {"hernia", "edema"}
    assert "no positive" in found.left_out["hernia"]
    assert "no negative" in found.left_out["edema"]


def test_rare_findings_get_an_interval_only() -> None:
    found = table(GOOD, BAD, least_positives=3)
    assert set(found.left_out) == {"nodule", "mass"}
    assert math.isnan(found.mean)
    assert found.rows[0].auroc == 1.0


def test_the_mean_moves_with_its_findings() -> None:
    found = table(GOOD, GOOD)
    assert (found.mean, found.low, found.high) == (1.0, 1.0, 1.0)


def test_scores_that_are_no_probabilities_get_no_threshold() -> None:
    assert math.isnan(table(GOOD, probabilities=False).rows[0].f1)
    assert table(GOOD).rows[0].f1 == 1.0


def test_strata_without_pairs_are_named() -> None:
    lonely = Column("mass", np.array([1, 0], bool), np.array([0.1, 0.2]), "ab", np.array([0, 1]))
    assert "no stratum" in table(lonely).left_out["mass"]


def test_json_has_no_nan_and_the_screen_tells_all() -> None:
    found = table(GOOD, EMPTY, prompt_set="pair", notes=["One source CT."])
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["rows"][1]["auroc"] is None
    console = Console(width=120, record=True, file=StringIO())
    console.print(found.to_rich())
    screen = console.export_text()
    told = ("made up", "4 films", "pair", "1000 bootstrap", "seed 0", "hernia *", "One source")
    for word in told:
        assert word in screen


def test_empty_table() -> None:
    assert math.isnan(table().mean)


@pytest.mark.parametrize("seed", [0, 1])
def test_seed_is_part_of_the_result(seed: int) -> None:
    assert table(GOOD, seed=seed).seed == seed
