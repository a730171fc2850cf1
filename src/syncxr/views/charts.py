"""Charts as inline SVG, drawn by hand: no library, no request, colours from the page's style.

Every chart is 320 units wide so that its 11-unit text is legible on a phone at full width.
Classes ``s1`` to ``s3`` are series, told apart by colour and by dash; ``axis``, ``grid`` and
``label`` are the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 320, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 26, 34

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A line of a chart; points with a missing value are left out."""

    name: str
    points: Sequence[Point]


def line_chart(
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    description: str,
    log: bool = False,
    whole_x: bool = False,
) -> Markup:
    """Lines over two axes.

    Args:
        series: At most three; the first is drawn on top.
        x_label: Name of the x axis.
        y_label: Name of the y axis.
        description: What the chart says, for those who cannot see it.
        log: Both axes logarithmic; all values must be positive.
        whole_x: x takes whole numbers only, such as epochs.
    """
    clean = [Series(s.name, [p for p in s.points if _finite(p, log)]) for s in series]
    everything = [point for s in clean for point in s.points]
    if not everything:
        return Markup('<p class="empty">No figures.</p>')
    xs, ys = [p[0] for p in everything], [p[1] for p in everything]
    x_scale = _Scale.over(xs, _LEFT, WIDTH - _RIGHT, log, tight=True)
    y_scale = _Scale.over(ys, HEIGHT - _BOTTOM, _TOP, log, tight=False)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(description)}">',
        *(_y_tick(y_scale, value) for value in y_scale.ticks()),
        *(_x_tick(x_scale, value) for value in x_scale.ticks(whole_x)),
        f'<text class="label" x="{(WIDTH + _LEFT) / 2:g}" y="{HEIGHT - 4}" '
        f'text-anchor="middle">{escape(x_label)}</text>',
        f'<text class="label" x="2" y="11">{escape(y_label)}</text>',
    ]
    for index, s in reversed(list(enumerate(clean, start=1))):
        places = " ".join(f"{x_scale(x):.1f},{y_scale(y):.1f}" for x, y in _thin(s.points, x_scale))
        parts.append(f'<polyline class="line s{index}" points="{places}"/>')
        if len(s.points) == 1:
            x, y = s.points[0]
            parts.append(
                f'<circle class="dot s{index}" cx="{x_scale(x):g}" cy="{y_scale(y):g}" r="3"/>'
            )
    parts.append("</svg>")
    return Markup("".join(parts))


def interval_bar(value: float, low: float, high: float, reference: float | None = None) -> Markup:
    """A point with its interval on the scale 0 to 1, with a mark at ``reference``."""
    mark = ""
    if reference is not None:
        x = _unit(reference)
        mark = f'<line class="reference" x1="{x}" x2="{x}" y1="1" y2="19"/>'
    return Markup(
        '<svg class="interval" viewBox="0 0 160 20" preserveAspectRatio="none" aria-hidden="true">'
        f'<line class="grid" x1="{_unit(0)}" x2="{_unit(1)}" y1="10" y2="10"/>{mark}'
        f'<line class="line s1" x1="{_unit(low)}" x2="{_unit(high)}" y1="10" y2="10"/>'
        f'<circle class="dot s1" cx="{_unit(value)}" cy="10" r="4"/></svg>'
    )


def _unit(value: float) -> str:
    return f"{6 + 148 * min(max(value, 0.0), 1.0):.1f}"


@dataclass(frozen=True)
class _Scale:
    """Values to positions, linear or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    @classmethod
    def over(
        cls, values: Sequence[float], start: float, end: float, log: bool, tight: bool
    ) -> _Scale:
        low, high = min(values), max(values)
        if log:
            if not tight:
                low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
            return cls(low, high if high > low else low * 10, start, end, log)
        if not tight:
            step = _step(high - low or abs(high) or 1.0)
            low, high = math.floor(low / step) * step, math.ceil(high / step) * step
        return cls(low, high if high > low else low + 1, start, end, log)

    def __call__(self, value: float) -> float:
        f: Callable[[float], float] = math.log10 if self.log else float
        share = (f(value) - f(self.low)) / (f(self.high) - f(self.low))
        return self.start + share * (self.end - self.start)

    def ticks(self, whole: bool = False) -> list[float]:
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        step = _step(self.high - self.low)
        if whole:
            step = max(1.0, math.ceil(step))
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _step(span: float) -> float:
    """A round step that cuts ``span`` into four or five."""
    raw = span / 4
    power = 10 ** math.floor(math.log10(raw))
    return float(next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= raw * 0.999))


def _finite(point: Point, log: bool) -> bool:
    return all(math.isfinite(v) and (v > 0 or not log) for v in point)


def _thin(points: Sequence[Point], scale: _Scale) -> list[Point]:
    """Points at least a unit apart: long tails have thousands that fall on one pixel."""
    kept: list[Point] = []
    for point in points:
        if not kept or abs(scale(point[0]) - scale(kept[-1][0])) >= 1 or point is points[-1]:
            kept.append(point)
    return kept


def _number(value: float) -> str:
    if value and (abs(value) >= 10_000 or abs(value) < 0.001):
        return f"{value:.0e}".replace("e-0", "e−").replace("e+0", "e").replace("e-", "e−")
    return f"{value:g}"


def _x_tick(scale: _Scale, value: float) -> str:
    x = f"{scale(value):.1f}"
    base = HEIGHT - _BOTTOM
    return (
        f'<line class="axis" x1="{x}" x2="{x}" y1="{base}" y2="{base + 4}"/>'
        f'<text class="tick" x="{x}" y="{base + 15}" text-anchor="middle">{_number(value)}</text>'
    )


def _y_tick(scale: _Scale, value: float) -> str:
    y = scale(value)
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
        f"{_number(value)}</text>"
    )
