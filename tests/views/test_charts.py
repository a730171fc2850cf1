from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.views.charts import HEIGHT, WIDTH, Series, interval_bar, line_chart

number = st.floats(-1e6, 1e6, allow_nan=False)


def points(svg: str) -> list[tuple[float, float]]:
    root = ElementTree.fromstring(svg)
    line = next(e for e in root.iter() if e.tag == "polyline")
    return [tuple(map(float, p.split(","))) for p in line.attrib["points"].split()]  # type: ignore[misc]


def chart(values: list[tuple[float, float]], log: bool = False) -> str:
    return str(
        line_chart([Series("a", values)], x_label="x", y_label="y", description="d", log=log)
    )


@given(st.lists(st.tuples(number, number), min_size=1, max_size=40))
def test_everything_is_drawn_within_the_frame(values: list[tuple[float, float]]) -> None:
    for x, y in points(chart(sorted(values))):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=40, unique=True))
def test_a_logarithmic_axis_keeps_ratios(values: list[float]) -> None:
    drawn = points(chart([(1, min(values)), (10, max(values)), (100, min(values))], log=True))
    assert drawn[1][0] - drawn[0][0] == pytest.approx(drawn[2][0] - drawn[1][0], abs=0.2)
    assert drawn[1][1] <= drawn[0][1] == drawn[2][1]


def test_missing_values_are_left_out() -> None:
    assert len(points(chart([(1, 1), (2, math.nan), (3, 2)]))) == 2
    assert "No figures" in chart([(1, math.nan)])


def test_thousands_of_points_do_not_swell_the_page() -> None:
    svg = chart([(rank, 1 / rank) for rank in range(1, 50_001)], log=True)
    assert len(points(svg)) <= WIDTH
    assert points(svg)[-1][0] == pytest.approx(WIDTH - 12, abs=0.2)


def test_words_are_escaped() -> None:
    svg = line_chart([Series("a", [(0, 0)])], x_label="<x>", y_label="&", description='"d"')
    assert ElementTree.fromstring(str(svg)).attrib["aria-label"] == '"d"'
    assert "<x>" not in svg


def test_interval_is_drawn_from_low_to_high() -> None:
    svg = str(interval_bar(0.5, 0.25, 0.75, 0.5))
    line = re.search(r'class="line s1" x1="([\d.]+)" x2="([\d.]+)"', svg)
    assert line
    assert [float(line[1]), float(line[2])] == [6 + 148 * 0.25, 6 + 148 * 0.75]
    assert "reference" in svg
    assert "reference" not in interval_bar(0.5, 0.25, 0.75)
