"""Masks against slow, obvious ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from syncxr.evaluation.testsets.drawn import (
    filled_boxes,
    mask_file,
    relative_run_lengths,
)


def slow_runs(text: str, height: int, width: int) -> np.ndarray:
    """The decoder that the challenge published, in words."""
    flat, at = [0] * (height * width), 0
    numbers = [int(word) for word in text.split()]
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        at += gap
        for place in range(at, at + length):
            flat[place] = 1
        at += length
    return np.array(flat).reshape(width, height).T > 0


@given(st.data())
def test_run_lengths_are_relative_and_go_down_the_columns(data: st.DataObject) -> None:
    height, width = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    runs, left = [], height * width
    while left and data.draw(st.booleans()):
        gap = data.draw(st.integers(0, left))
        length = data.draw(st.integers(0, left - gap))
        runs += [gap, length]
        left -= gap + length
    text = " ".join(map(str, runs)) or "0 0"
    mask = relative_run_lengths(text, (height, width), "row")
    assert np.array_equal(mask, slow_runs(text, height, width))


@pytest.mark.parametrize(
    "text", ["", "1", "1 2 3", "1 -2", "a b", "1.5 2", "60 5", "9" * 30 + " 1"]
)
def test_bad_run_lengths(text: str, refused: Callable[..., str]) -> None:
    said = refused(relative_run_lengths, text, (8, 8), "train-rle.csv, row 5")
    assert said.startswith("train-rle.csv, row 5: ")


@given(
    st.lists(
        st.tuples(
            st.floats(-5, 19), st.floats(-5, 19), st.floats(1.01, 30), st.floats(1.01, 30)
        ).filter(lambda box: box[0] + box[2] > 1 and box[1] + box[3] > 1),
        min_size=1,
        max_size=3,
    )
)
def test_boxes_are_filled(boxes: list[tuple[float, float, float, float]]) -> None:
    mask = filled_boxes(boxes, (20, 20), "row")
    for row in range(20):
        for column in range(20):
            inside = any(
                round(x) <= column < round(x + w) and round(y) <= row < round(y + h)
                for x, y, w, h in boxes
            )
            assert mask[row, column] == inside


@pytest.mark.parametrize(
    "box", [(20.0, 0.0, 5.0, 5.0), (0.0, -9.0, 5.0, 5.0), (3.0, 3.0, 0.0, 4.0)]
)
def test_boxes_outside(box: tuple[float, ...], refused: Callable[..., str]) -> None:
    assert "outside the film" in refused(filled_boxes, [box], (20, 20), "labels.csv, row 2")


def test_masks_of_another_size(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tmp_path / "mask.png"
    Pillow.fromarray(np.zeros((10, 12), np.uint8)).save(path)
    assert mask_file(path, (10, 12), "row").shape == (10, 12)
    said = refused(mask_file, path, (20, 24), "labels.csv, row 4")
    assert said.startswith(f"labels.csv, row 4: mask {path} is 10×12, its film 20×24")
