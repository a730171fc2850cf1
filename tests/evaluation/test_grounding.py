"""Pointing game: an oracle hits, its opposite misses, a guess hits by the mask's size."""

import json

import numpy as np

from syncxr.evaluation.grounding import Case, pointing_game


class Pointer:
    def __init__(self, maps: dict[bytes, np.ndarray]) -> None:
        self.maps = maps

    def ground(self, image: np.ndarray, phrase: str) -> np.ndarray:
        return self.maps[image.tobytes()]


def cases(count: int) -> list[Case]:
    generator = np.random.default_rng(0)
    made = []
    for index in range(count):
        mask = np.zeros((20, 30), bool)
        row, column = generator.integers(0, 10), generator.integers(0, 20)
        mask[row : row + 10, column : column + 6] = True
        film = generator.integers(0, 256, (20, 30), dtype=np.uint8)
        name = "nodule" if index % 2 else "mass"
        made.append(Case(name, f"left {name}", film, mask))
    return made


def test_oracle_and_its_opposite() -> None:
    given = cases(20)
    right = Pointer({case.image.tobytes(): case.mask.astype(np.float32) for case in given})
    wrong = Pointer({case.image.tobytes(): (~case.mask).astype(np.float32) for case in given})
    table = pointing_game(right, given, test_set="made up")
    assert table.mean == 1.0
    assert [(row.finding, row.hits, row.cases) for row in table.rows] == [
        ("mass", 10, 10),
        ("nodule", 10, 10),
    ]
    assert (table.rows[0].low, table.rows[0].high) == (1.0, 1.0)
    assert pointing_game(wrong, given, test_set="made up").mean == 0.0


def test_a_guess_hits_by_chance() -> None:
    given = cases(400)
    generator = np.random.default_rng(1)
    blind = Pointer({case.image.tobytes(): generator.random((20, 30)) for case in given})
    table = pointing_game(blind, given, test_set="made up")
    assert abs(table.mean - table.mean_chance) < 0.05
    assert abs(table.mean_chance - 0.1) < 1e-9
    assert all(row.low <= row.chance <= row.high for row in table.rows)


def test_no_cases() -> None:
    table = pointing_game(Pointer({}), [], test_set="made up")
    assert table.rows == ()
    assert json.loads(json.dumps(table.to_dict(), allow_nan=False))["mean"] is None
