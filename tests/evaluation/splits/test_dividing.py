"""Splits that anybody gets again: by patient, stratified, nested, whatever the order."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.errors import SyncxrError
from syncxr.evaluation.splits.dividing import divide, fraction, fraction_name, ranking
from syncxr.evaluation.testsets.folder import Folder
from syncxr.evaluation.testsets.test_set import Item, TestSet

SHARES = {"train": 0.7, "valid": 0.1, "test": 0.2}
FINDINGS = ("mass", "edema", "hernia")


def films(seed: int, patients: int, named: bool = True) -> list[Item]:
    """Films of patients with one to many films, a common, a middling and a rare finding."""
    generator = np.random.default_rng(seed)
    items = []
    for patient in range(patients):
        for _ in range(1 + generator.poisson(2) * int(named)):
            shown = generator.random(3) < (0.3, 0.1, 0.02)
            labels = dict(zip(FINDINGS, map(float, shown), strict=True))
            if generator.random() < 0.1:
                labels["edema"] = float("nan")
            name = f"film{len(items)}"
            items.append(Item(name, f"{name}.png", f"p{patient}" if named else "", labels))
    return items


class Films(TestSet):
    info = Folder.info

    def __init__(self, items: list[Item]) -> None:
        super().__init__(Path(), "train")
        self.items = tuple(items)


def units(items: tuple[Item, ...] | list[Item]) -> set[str]:
    return {item.unit for item in items}


@given(st.integers(0, 10**6), st.integers(3, 60), st.booleans(), st.integers(0, 5))
def test_parts_share_no_patient_and_lose_nothing(
    seed: int, patients: int, named: bool, draw: int
) -> None:
    items = films(seed, patients, named)
    parts = divide(items, SHARES, draw)
    assert list(parts) == list(SHARES)
    assert Counter(i.id for part in parts.values() for i in part) == Counter(i.id for i in items)
    for one in parts:
        assert parts[one]
        for other in parts:
            assert one == other or not units(parts[one]) & units(parts[other])


@given(st.integers(0, 10**6), st.integers(3, 60), st.randoms(use_true_random=False))
def test_the_order_of_films_changes_nothing(seed: int, patients: int, random: object) -> None:
    items = films(seed, patients)
    mixed = list(items)
    random.shuffle(mixed)
    for name, part in divide(items, SHARES, 0).items():
        assert {i.id for i in part} == {i.id for i in divide(mixed, SHARES, 0)[name]}
    kept = [item.id for item in divide(items, SHARES, 0)["train"]]
    assert kept == [item.id for item in items if item.id in set(kept)]


@given(st.integers(0, 10**6), st.integers(10, 200), st.integers(0, 3))
def test_fractions_are_nested_and_by_patient(seed: int, patients: int, draw: int) -> None:
    whole = Films(films(seed, patients))
    parts = [fraction(whole, share, draw) for share in (0.01, 0.05, 0.1, 0.5, 1.0)]
    for small, great in itertools.pairwise(parts):
        assert {i.id for i in small.items} <= {i.id for i in great.items}
    assert parts[-1] is whole
    for share, part in zip((0.01, 0.05, 0.1, 0.5), parts, strict=False):
        assert len(units(part.items)) == max(1, round(share * patients))
        everyone = [item for item in whole.items if item.unit in units(part.items)]
        assert list(part.items) == everyone


@given(st.integers(0, 200), st.sampled_from([0.1, 0.2, 0.5]), st.booleans())
def test_stratified(seed: int, share: float, named: bool) -> None:
    """Each finding's patients fall into a part as all patients do, within a few."""
    items = films(seed, 600, named)
    part = units(fraction(Films(items), share, seed).items)
    for finding in FINDINGS:
        carriers = {item.unit for item in items if item.labels[finding] == 1}
        expected = share * len(carriers)
        assert abs(len(carriers & part) - expected) <= 4 + 0.15 * expected, finding


def test_the_rarest_finding_is_shared_almost_exactly() -> None:
    """One stratum of one label: within one patient, at every length of the ranking."""
    items = [Item(f"f{n}", "", f"p{n}", {"mass": float(n % 7 == 0)}) for n in range(700)]
    order = ranking(items, 0, "split")
    carriers = {item.unit for item in items if item.labels["mass"] == 1}
    for length in range(1, 701):
        found = sum(unit in carriers for unit in order[:length])
        assert abs(found - length / 7) <= 2.5


def test_seeds_and_purposes_draw_apart() -> None:
    items = films(0, 300)
    first = units(fraction(Films(items), 0.1, 0).items)
    second = units(fraction(Films(items), 0.1, 1).items)
    assert len(first & second) < 15
    assert ranking(items, 0, "split") != ranking(items, 0, "fraction")


def test_what_was_drawn_stays_drawn() -> None:
    """The recipe is a promise: numbers were measured on these splits."""
    items = [Item(f"f{n}", "", f"p{n // 2}", {"mass": float(n % 3 == 0)}) for n in range(40)]
    drawn = {
        name: [i.patient for i in part][::2] for name, part in divide(items, SHARES, 0).items()
    }
    assert drawn["valid"] == ["p2", "p10"]
    assert drawn["test"] == ["p11", "p13", "p16", "p18"]


def test_names_say_what_they_are() -> None:
    part = fraction(Films(films(0, 100)), 0.01, 2)
    assert part.split == fraction_name("train", 0.01, 2) == "train, 1 % of the labels, seed 2"
    assert part.digest != Films(films(0, 100)).digest


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_fractions_outside(share: float) -> None:
    with pytest.raises(SyncxrError, match="not in"):
        fraction(Films(films(0, 10)), share)


def test_too_few() -> None:
    with pytest.raises(SyncxrError, match="2 patients"):
        divide([Item("a", "", "1", {}), Item("b", "", "2", {})], SHARES, 0)
    with pytest.raises(SyncxrError, match="empty"):
        fraction(Films([]), 0.5)
