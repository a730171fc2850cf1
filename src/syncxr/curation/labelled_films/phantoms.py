"""Pictures of what is not a human chest, drawn from rules: limbs, skulls, animals, things.

Limbs are sums of path lengths: soft tissue, a bone cortex and its marrow, each a capsule with
``2·sqrt(r² − d²)`` of matter under a point at distance ``d`` from its axis (parallel beam), shown
as negative log intensity, so that bone is bright as on a film.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw
from scipy import ndimage

from syncxr.sample import Image

Field = NDArray[np.floating[Any]]
"""Attenuation or brightness before display, shape (H, W)."""

SIDE = 256
"""Pixels along each side of a phantom."""

_Y, _X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE

Window = tuple[slice, slice]
_ALL: Window = (slice(None), slice(None))

Point = tuple[float, float]
"""(x, y) in units of the picture's side, y downwards."""


def _around(a: Point, b: Point, reach: float) -> Window:
    """The pixels within ``reach`` of the box around ``ab``: small bones are drawn there only."""

    def span(p: float, q: float) -> slice:
        low, high = min(p, q) - reach, max(p, q) + reach
        return slice(max(int(low * SIDE), 0), max(min(int(high * SIDE) + 2, SIDE), 0))

    return span(a[1], b[1]), span(a[0], b[0])


def _distance(a: Point, b: Point, window: Window = _ALL) -> tuple[Field, Field]:
    """Distance of each pixel to the segment ``ab`` and its position along it in [0, 1]."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    x, y = _X[window] - a[0], _Y[window] - a[1]
    along = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    return np.hypot(x - along * dx, y - along * dy), along


def _capsule(
    a: Point, b: Point, start: float, end: float, flare: float = 0.0, window: Window = _ALL
) -> Field:
    """Path length through a tapered capsule; ``flare`` widens both ends as a joint does."""
    distance, along = _distance(a, b, window)
    radius = start + (end - start) * along
    if flare:
        radius = radius * (1 + flare * (2 * along - 1) ** 6)
    return 2 * np.sqrt(np.maximum(radius**2 - distance**2, 0))


def _ellipse(
    centre: Point, rx: float, ry: float, angle: float = 0.0, window: Window = _ALL
) -> Field:
    """Path length, along the beam, through an ellipsoid whose depth is its smaller radius."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = _X[window] - centre[0], _Y[window] - centre[1]
    inside = 1 - ((c * x + s * y) / rx) ** 2 - ((c * y - s * x) / ry) ** 2
    path: Field = 2 * min(rx, ry) * np.sqrt(np.maximum(inside, 0))
    return path


def smooth_noise(rng: np.random.Generator, scale: float, side: int = SIDE) -> Field:
    """Gaussian noise of unit deviation with a correlation length of ``scale`` pixels."""
    coarse = max(4, int(side / max(scale, 1)))
    noise = rng.standard_normal((coarse, coarse)).astype(np.float32)
    return ndimage.zoom(noise, side / coarse, order=3 if coarse > 4 else 1)[:side, :side]


class _Limb:
    """Matter added up under the beam: soft tissue and bone apart."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.soft = np.zeros((SIDE, SIDE), np.float32)
        self.bone_matter = np.zeros((SIDE, SIDE), np.float32)
        self.metal = np.zeros((SIDE, SIDE), np.float32)
        self.density = rng.uniform(1.5, 4.0)
        self.cortex = rng.uniform(0.12, 0.4)
        self.marrow = rng.uniform(0.25, 0.7)

    def flesh(self, a: Point, b: Point, start: float, end: float) -> None:
        """Soft tissue; neighbours merge instead of adding up."""
        window = _around(a, b, max(start, end))
        self.soft[window] = np.maximum(self.soft[window], _capsule(a, b, start, end, window=window))

    def bone(self, a: Point, b: Point, radius: float, flare: float = 0.8) -> None:
        """A long bone: a cortex around marrow, wider at its ends."""
        end = radius * self.rng.uniform(0.8, 1.2)
        hollow = 1 - self.cortex
        window = _around(a, b, max(radius, end) * (1 + flare))
        outer = _capsule(a, b, radius, end, flare, window)
        inner = _capsule(a, b, radius * hollow, end * hollow, flare, window)
        self.bone_matter[window] += outer - (1 - self.marrow) * inner

    def knob(self, centre: Point, rx: float, ry: float) -> None:
        """A short, round bone."""
        angle = self.rng.uniform(0, np.pi)
        window = _around(centre, centre, max(rx, ry))
        outer = _ellipse(centre, rx, ry, angle, window)
        inner = _ellipse(centre, rx * 0.85, ry * 0.85, angle, window)
        self.bone_matter[window] += outer - (1 - self.marrow) * inner

    def plate(self, a: Point, b: Point, width: float) -> None:
        """A metal plate or nail with screws across it."""
        distance, _ = _distance(a, b)
        self.metal = np.maximum(self.metal, (distance < width).astype(np.float32))
        length = np.hypot(b[0] - a[0], b[1] - a[1])
        normal = ((a[1] - b[1]) / length, (b[0] - a[0]) / length)
        for t in np.arange(0.05, 1, self.rng.uniform(0.08, 0.25)):
            x, y = a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])
            reach = self.rng.uniform(-1, 1) * 0.09
            tip = (x + reach * normal[0], y + reach * normal[1])
            distance, _ = _distance((x, y), tip)
            self.metal = np.maximum(self.metal, (distance < 0.006).astype(np.float32))

    def implant(self, outline: list[Point]) -> None:
        """A cast metal part with the given outline."""
        canvas = Pillow.new("L", (SIDE, SIDE))
        ImageDraw.Draw(canvas).polygon([(x * SIDE, y * SIDE) for x, y in outline], fill=255)
        shape = ndimage.gaussian_filter(np.asarray(canvas, np.float32) / 255, SIDE * 0.01) > 0.5
        self.metal = np.maximum(self.metal, shape.astype(np.float32))

    def film(self) -> Image:
        """Add up, add texture, expose."""
        rng = self.rng
        grain = 1 + rng.uniform(0, 0.25) * smooth_noise(rng, rng.uniform(2, 5))
        lumps = 1 + rng.uniform(0, 0.15) * smooth_noise(rng, rng.uniform(15, 50))
        field = self.soft * lumps + self.density * self.bone_matter * grain
        field = field + rng.uniform(0.5, 1.5) * self.metal * max(float(field.max()), 0.1)
        return expose(field, rng)


def expose(field: Field, rng: np.random.Generator) -> Image:
    """Show an attenuation map as a film: window, gamma, fog, background, grain.

    Args:
        field: Path length, any unit, shape (H, W).
        rng: Decides the film.
    """
    top = np.percentile(field, rng.uniform(97, 100)) or 1.0
    film = np.clip(field / top, 0, 1)
    if rng.random() < 0.5:
        strength = rng.uniform(0.5, 4)
        film = (1 - np.exp(-strength * film)) / (1 - np.exp(-strength))
    film = film ** rng.uniform(0.6, 1.5)
    low, high = rng.uniform(0, 0.25) * (rng.random() < 0.5), rng.uniform(0.45, 1)
    film = low + (high - low) * film
    film = ndimage.gaussian_filter(film, rng.uniform(0, 1.2))
    film = film + rng.uniform(0, 0.03) * rng.standard_normal(film.shape)
    return to_uint8(film)


def to_uint8(film: Field) -> Image:
    """Brightness in [0, 1] to 8 bits, clipping what lies outside."""
    return np.round(np.clip(film, 0, 1) * 255).astype(np.uint8)


def _step(start: Point, angle: float, length: float) -> Point:
    return start[0] + length * np.sin(angle), start[1] - length * np.cos(angle)


def _digit(
    limb: _Limb, root: Point, angle: float, lengths: list[float], thick: float, curl: float
) -> None:
    """A row of bones that share one envelope of flesh and narrow towards the tip."""
    rng = limb.rng
    for index, length in enumerate(lengths):
        tip = _step(root, angle, length)
        bone = thick * rng.uniform(0.38, 0.55)
        limb.bone(_step(root, angle, length * 0.06), _step(root, angle, length * 0.94), bone)
        limb.flesh(root, tip, thick * 1.08, thick * (0.95 if index else 1.0))
        root, angle, thick = tip, angle + curl * rng.normal(0, 1), thick * 0.88


def hand(rng: np.random.Generator) -> Image:
    """A hand: four fingers and a thumb on a palm with wrist bones and forearm."""
    limb = _Limb(rng)
    scale = rng.uniform(0.75, 1.15)
    wrist = (0.5 + rng.normal(0, 0.05), 0.78 + rng.normal(0, 0.05))
    lean, spread = rng.normal(0, 0.15), rng.uniform(0.08, 0.24)
    curl, side = rng.uniform(0, 0.12), rng.choice([-1, 1])
    knuckles: list[Point] = []
    for index in range(4):
        angle = lean + spread * (index - 1.5)
        palm = scale * rng.uniform(0.22, 0.27)
        knuckle = _step(wrist, angle, palm)
        knuckles.append(knuckle)
        limb.bone(_step(wrist, angle, palm * 0.3), knuckle, 0.018 * scale)
        longest = scale * (0.16, 0.19, 0.18, 0.14)[index] * rng.uniform(0.9, 1.1)
        _digit(limb, knuckle, angle, [longest, longest * 0.6, longest * 0.45], 0.04 * scale, curl)
    thumb = lean + side * rng.uniform(0.7, 1.1)
    root = _step(wrist, thumb, 0.06)
    _digit(limb, root, thumb, [0.15 * scale, 0.11 * scale, 0.08 * scale], 0.05 * scale, curl)
    for knuckle in knuckles:
        limb.flesh(wrist, knuckle, 0.09 * scale, 0.05 * scale)
    for _ in range(8):
        centre = _step(wrist, lean + rng.normal(0, 0.9), rng.uniform(0.01, 0.07) * scale)
        limb.knob(centre, *(rng.uniform(0.018, 0.03, 2) * scale))
    elbow = _step(wrist, lean + np.pi + rng.normal(0, 0.1), 0.4)
    limb.flesh(wrist, elbow, 0.085 * scale, 0.11 * scale)
    for offset in (-0.035, 0.035):
        limb.bone(
            (wrist[0] + offset * scale, wrist[1] + 0.04),
            (elbow[0] + offset * scale, elbow[1]),
            0.026 * scale,
        )
    return limb.film()


def foot(rng: np.random.Generator) -> Image:
    """A foot from above: five parallel toes on long metatarsals, a broad heel."""
    limb = _Limb(rng)
    heel = (0.5 + rng.normal(0, 0.04), 0.85)
    for index in range(5):
        root = (0.33 + 0.085 * index + rng.normal(0, 0.01), 0.62 + rng.normal(0, 0.01))
        angle = 0.12 * (index - 2) + rng.normal(0, 0.03)
        length = rng.uniform(0.24, 0.28)
        ball = _step(root, angle, length)
        limb.bone(root, ball, rng.uniform(0.014, 0.022))
        _digit(limb, ball, angle * 0.5, [0.08, 0.04, 0.03], 0.038, 0.1)
        limb.flesh(root, ball, 0.06, 0.05)
        limb.flesh(heel, root, 0.14, 0.06)
    for _ in range(7):
        centre = (rng.uniform(0.36, 0.66), rng.uniform(0.6, 0.75))
        limb.knob(centre, *rng.uniform(0.03, 0.05, 2))
    limb.knob((heel[0], 0.83), 0.08, 0.12)
    return limb.film()


def arm(rng: np.random.Generator) -> Image:
    """An upper arm from shoulder to elbow, sometimes bent, sometimes with the trunk beside it."""
    limb = _Limb(rng)
    width = rng.uniform(0.09, 0.2)
    shoulder = (rng.uniform(0.3, 0.6), rng.uniform(-0.05, 0.22))
    angle = np.pi + rng.normal(0, 0.2)
    length = rng.uniform(0.55, 0.85)
    elbow = _step(shoulder, angle, length)
    limb.flesh(shoulder, elbow, width * rng.uniform(1, 1.4), width)
    bone = width * rng.uniform(0.22, 0.36)
    limb.bone(shoulder, elbow, bone, rng.uniform(0.6, 1.2))
    limb.knob((shoulder[0] - bone * 0.6, shoulder[1]), bone * 1.9, bone * 1.8)
    if rng.random() < 0.6:
        bend = angle + rng.choice([-1, 1]) * rng.uniform(0.2, 1.7)
        wrist = _step(elbow, bend, 0.6)
        limb.flesh(elbow, wrist, width * 0.95, width * 0.6)
        for offset in (-0.3, 0.3):
            shift = offset * width
            limb.bone((elbow[0] + shift, elbow[1]), (wrist[0] + shift, wrist[1]), bone * 0.6)
    if rng.random() < 0.5:
        _trunk_beside(limb, shoulder, side=rng.choice([-1, 1]))
    if rng.random() < 0.35:
        limb.plate(
            _step(shoulder, angle, length * 0.2),
            _step(shoulder, angle, length * rng.uniform(0.5, 0.9)),
            rng.uniform(0.008, 0.02),
        )
    return limb.film()


def _trunk_beside(limb: _Limb, shoulder: Point, side: int) -> None:
    """The edge of a chest beside an arm: flesh, collar bone, shoulder blade, a few ribs."""
    rng = limb.rng
    inner = (shoulder[0] + side * 0.45, shoulder[1] + 0.1)
    limb.flesh(shoulder, inner, 0.15, 0.25)
    limb.flesh(inner, (inner[0] + side * 0.05, 1.1), 0.25, rng.uniform(0.15, 0.3))
    limb.bone((shoulder[0] + side * 0.05, shoulder[1] - 0.03), (inner[0], inner[1] - 0.1), 0.018)
    for index in range(rng.integers(0, 6)):
        y = shoulder[1] + 0.2 + 0.12 * index
        limb.bone((inner[0] - side * 0.12, y), (inner[0] + side * 0.2, y + 0.08), 0.012, 0)


def knee(rng: np.random.Generator) -> Image:
    """A knee from the front or the side, one or both, natural or with a metal joint."""
    limb = _Limb(rng)
    both = rng.random() < 0.2
    for centre in (0.27, 0.73) if both else (rng.uniform(0.4, 0.6),):
        _one_knee(limb, centre, (0.5 if both else 1.0) * rng.uniform(0.5, 1.5))
    return limb.film()


def _one_knee(limb: _Limb, x: float, scale: float) -> None:
    rng = limb.rng
    width = 0.2 * scale
    joint = (x, rng.uniform(0.4, 0.6))
    bend = 0.0 if rng.random() < 0.6 else rng.uniform(-1.4, 1.4)
    lean = rng.normal(0, 0.08)
    hip, ankle = _step(joint, lean, 0.9), _step(joint, np.pi + lean + bend, 0.9)
    limb.flesh(joint, hip, width * 1.1, width * rng.uniform(1.1, 1.5))
    limb.flesh(joint, ankle, width * 1.05, width * 0.75)
    bone, gap = width * rng.uniform(0.36, 0.5), 0.02 * scale
    thigh = _step(joint, lean, gap + bone * 0.8)
    shin = _step(joint, np.pi + lean + bend, gap + bone * 0.8)
    limb.bone(thigh, hip, bone * 0.75, 0.9)
    limb.bone(shin, ankle, bone * 0.7, 0.9)
    for side in (-1, 1):
        limb.knob((thigh[0] + side * bone * 0.55, thigh[1]), bone * 0.75, bone * 0.8)
        limb.knob((shin[0] + side * bone * 0.5, shin[1]), bone * 0.75, bone * 0.6)
    limb.bone((shin[0] + bone, shin[1] + bone), (ankle[0] + bone * 1.1, ankle[1]), bone * 0.22)
    limb.knob((joint[0] + bone * rng.uniform(-0.3, 1.6), joint[1] - bone), bone * 0.5, bone * 0.6)
    if rng.random() < 0.5:
        _metal_joint(limb, joint, bone * rng.uniform(1.1, 1.7))


def _metal_joint(limb: _Limb, joint: Point, size: float) -> None:
    """A knee prosthesis: a rounded cap above, a tray with a stem below."""
    rng = limb.rng
    x, y = joint
    angles = np.linspace(0, np.pi, 12)
    cap = [
        (x + size * np.cos(t), y - 0.01 - size * rng.uniform(0.7, 1.0) * np.sin(t)) for t in angles
    ]
    bite = size * rng.uniform(0.2, 0.6)
    limb.implant([*cap, (x - bite, y - 0.01), (x, y - bite), (x + bite, y - 0.01)])
    t = size * 0.12
    limb.implant(
        [(x - size, y + t), (x + size, y + t), (x + size, y + 3 * t), (x - size, y + 3 * t)]
    )
    stem = size * rng.uniform(0.1, 0.25)
    limb.implant(
        [(x - stem, y + 2 * t), (x + stem, y + 2 * t), (x, y + size * rng.uniform(0.8, 2))]
    )
    if rng.random() < 0.3:
        limb.plate((x, y - size), (x, y - size * 3), 0.02)


def skull(rng: np.random.Generator) -> Image:
    """A skull from the front: a bright shell, two orbits, a nose, teeth, a neck."""
    limb = _Limb(rng)
    x, y, r = 0.5 + rng.normal(0, 0.03), 0.42, rng.uniform(0.26, 0.36)
    limb.soft = np.maximum(limb.soft, _ellipse((x, y), r * 1.12, r * 1.3))
    shell = _ellipse((x, y), r, r * 1.15) - _ellipse((x, y), r * 0.93, r * 1.08)
    limb.bone_matter += shell
    for side in (-1, 1):
        orbit = (x + side * r * 0.42, y + r * 0.3)
        limb.bone_matter += 0.8 * _ellipse(orbit, r * 0.33, r * 0.28)
        limb.bone_matter -= 0.7 * _ellipse(orbit, r * 0.27, r * 0.22)
        limb.bone((x + side * r * 0.75, y + r * 0.5), (x + side * r * 0.3, y + r * 1.25), r * 0.1)
    limb.bone_matter -= 0.3 * _ellipse((x, y + r * 0.65), r * 0.13, r * 0.24)
    for index in range(-4, 5):
        limb.knob((x + index * r * 0.09, y + r * 0.98), r * 0.04, r * 0.1)
    limb.flesh((x, y + r), (x, 1.1), r * 0.6, r * 0.7)
    for index in range(4):
        limb.knob((x, y + r * (1.3 + 0.28 * index)), r * 0.25, r * 0.12)
    limb.bone_matter = np.maximum(limb.bone_matter, 0)
    return limb.film()


def quadruped(rng: np.random.Generator) -> Image:
    """A four-legged animal from the side: level spine, ribs, tail, snout."""
    limb = _Limb(rng)
    facing, y = rng.choice([-1, 1]), rng.uniform(0.35, 0.5)
    shoulder, rump = (0.5 + facing * 0.22, y), (0.5 - facing * 0.25, y + rng.normal(0, 0.02))
    head = (shoulder[0] + facing * 0.17, y - rng.uniform(0.02, 0.15))
    depth = rng.uniform(0.1, 0.17)
    limb.flesh((shoulder[0], y + depth * 0.7), (rump[0], y + depth * 0.5), depth, depth * 0.8)
    limb.flesh(shoulder, head, 0.08, 0.06)
    limb.flesh(head, (head[0] + facing * 0.1, head[1] + 0.04), 0.07, 0.035)
    limb.bone(head, (head[0] + facing * 0.1, head[1] + 0.03), 0.03)
    limb.knob(head, 0.05, 0.045)
    for t in np.linspace(0, 1, 14):
        limb.knob(
            (head[0] + (shoulder[0] - head[0]) * t, head[1] + (y - head[1]) * t), 0.014, 0.012
        )
    for t in np.linspace(0, 1, 24):
        x = shoulder[0] + (rump[0] - shoulder[0]) * t
        limb.knob((x, y - 0.01), 0.012, 0.014)
        if t < 0.55:
            limb.bone((x, y), (x - facing * 0.04, y + depth * 1.5), 0.005, 0)
    for x in (shoulder[0], shoulder[0] - facing * 0.05, rump[0], rump[0] + facing * 0.05):
        knee_point = (x + rng.normal(0, 0.03), y + depth + rng.uniform(0.08, 0.14))
        paw = (x + rng.normal(0, 0.03), min(y + depth + 0.32, 0.97))
        for a, b in (((x, y + depth * 0.4), knee_point), (knee_point, paw)):
            limb.flesh(a, b, 0.045, 0.03)
            limb.bone(a, b, 0.014)
    tail = (rump[0] - facing * 0.18, y + rng.uniform(-0.1, 0.15))
    limb.flesh(rump, tail, 0.03, 0.012)
    limb.bone(rump, tail, 0.008, 0)
    return limb.film()


def fish(rng: np.random.Generator) -> Image:
    """A fish from the side: a comb of fine ribs on one spine, fins as fans of rays."""
    limb = _Limb(rng)
    y, facing, depth = rng.uniform(0.4, 0.6), rng.choice([-1, 1]), rng.uniform(0.12, 0.24)
    limb.soft = np.maximum(limb.soft, _ellipse((0.5, y), 0.38, depth))
    nose, tail = 0.5 + facing * 0.36, 0.5 - facing * 0.36
    for x in np.linspace(nose - facing * 0.15, tail, 34):
        reach = depth * (1 - ((x - 0.5) / 0.42) ** 2)
        for side in (-1, 1):
            limb.bone((x, y), (x - facing * 0.05, y + side * reach * 0.85), 0.003, 0)
        limb.knob((x, y), 0.008, 0.008)
    limb.knob((nose - facing * 0.08, y), 0.08, depth * 0.5)
    for angle in np.linspace(-0.7, 0.7, 14):
        limb.bone(
            (tail, y), (tail - facing * 0.16 * np.cos(angle), y + 0.16 * np.sin(angle)), 0.003, 0
        )
    return limb.film()


def bird(rng: np.random.Generator) -> Image:
    """A bird from above: spread wings of thin bones, keel, long neck, fanned tail."""
    limb = _Limb(rng)
    x, y = 0.5 + rng.normal(0, 0.03), rng.uniform(0.45, 0.55)
    limb.soft = np.maximum(limb.soft, _ellipse((x, y + 0.05), 0.11, 0.18))
    head = (x + rng.normal(0, 0.06), y - 0.33)
    limb.flesh((x, y - 0.1), head, 0.04, 0.03)
    limb.knob(head, 0.045, 0.05)
    limb.bone(head, (head[0] + rng.normal(0, 0.05), head[1] - 0.09), 0.012)
    for t in np.linspace(0, 1, 18):
        limb.knob((x + (head[0] - x) * t, y + (head[1] - y) * t), 0.01, 0.008)
    for side in (-1, 1):
        root = (x + side * 0.09, y - 0.08)
        elbow = (x + side * rng.uniform(0.18, 0.25), y + rng.uniform(0.0, 0.1))
        wrist = (x + side * rng.uniform(0.33, 0.42), y - rng.uniform(0.05, 0.15))
        tip = (x + side * 0.47, y + rng.uniform(-0.05, 0.1))
        for a, b, width in ((root, elbow, 0.014), (elbow, wrist, 0.012), (wrist, tip, 0.008)):
            limb.bone(a, b, width)
            limb.flesh(a, b, 0.04, 0.025)
        for t in np.linspace(0, 1, 10):
            start = (wrist[0] + (elbow[0] - wrist[0]) * t, wrist[1] + (elbow[1] - wrist[1]) * t)
            limb.bone(start, (start[0] + side * 0.05, start[1] + 0.2), 0.002, 0)
        limb.bone((x + side * 0.05, y + 0.15), (x + side * 0.12, y + 0.33), 0.01)
    limb.knob((x, y + 0.03), 0.03, 0.13)
    return limb.film()


def _canvas(fill: int = 0) -> tuple[Pillow.Image, ImageDraw.ImageDraw]:
    canvas = Pillow.new("L", (SIDE, SIDE), fill)
    return canvas, ImageDraw.Draw(canvas)


def luggage(rng: np.random.Generator) -> Image:
    """A packed case in a scanner: boxes, bottles, cables, tools, one over the other."""
    field = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(8, 25)):
        canvas, draw = _canvas()
        x, y, w, h = (rng.uniform(0.02, 0.85, 4) * SIDE).tolist()
        kind = rng.integers(4)
        if kind == 0:
            draw.rectangle((x, y, x + w * 0.5, y + h * 0.5), fill=255)
        elif kind == 1:
            draw.ellipse((x, y, x + w * 0.4, y + w * 0.4), fill=255)
        elif kind == 2:
            points = [tuple(p) for p in (rng.random((8, 2)) * SIDE).tolist()]
            draw.line(points, fill=255, width=int(rng.integers(1, 4)))
        else:
            draw.line((x, y, w, h), fill=255, width=int(rng.integers(4, 20)))
        field += rng.uniform(0.1, 1.0) * np.asarray(canvas, np.float32) / 255
    return expose(field, rng)


def circuit(rng: np.random.Generator) -> Image:
    """A circuit board: tracks at right angles, pads, chips with rows of pins."""
    canvas, draw = _canvas(int(rng.integers(10, 90)))
    for _ in range(rng.integers(30, 90)):
        x, y = (rng.random(2) * SIDE).tolist()
        dx, dy = (rng.normal(0, 50, 2)).tolist()
        shade = int(rng.integers(90, 255))
        draw.line((x, y, x + dx, y, x + dx, y + dy), fill=shade, width=int(rng.integers(1, 4)))
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=255)
    for _ in range(rng.integers(2, 8)):
        x, y, w, h = (rng.uniform(0.05, 0.8, 2) * SIDE).tolist() + rng.uniform(15, 70, 2).tolist()
        draw.rectangle((x, y, x + w, y + h), fill=int(rng.integers(60, 220)))
        for pin in np.arange(x, x + w, 6):
            draw.line((pin, y - 5, pin, y + h + 5), fill=230, width=2)
    return expose(np.asarray(canvas, np.float32) / 255, rng)


def gears(rng: np.random.Generator) -> Image:
    """Machine parts: toothed wheels with bores and spokes, on shafts."""
    field = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(2, 6)):
        x, y = rng.uniform(0.15, 0.85, 2)
        radius, teeth = rng.uniform(0.1, 0.3), int(rng.integers(8, 30))
        distance, angle = np.hypot(_X - x, _Y - y), np.arctan2(_Y - y, _X - x)
        rim = radius * (1 + 0.1 * np.sign(np.sin(teeth * angle)))
        wheel = (distance < rim) & (distance > radius * rng.uniform(0.1, 0.3))
        holes = (np.sin(int(rng.integers(3, 8)) * angle) > 0.4) & (distance < radius * 0.75)
        field += rng.uniform(0.3, 1) * (wheel & ~(holes & (distance > radius * 0.4)))
    return expose(field, rng)


_WORDS = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
]


def text_page(rng: np.random.Generator) -> Image:
    """A page of print, dark on light or light on dark."""
    dark = rng.random() < 0.3
    canvas, draw = _canvas(20 if dark else 235)
    size = int(rng.integers(8, 18))
    for line in range(8, SIDE - size, int(size * rng.uniform(1.2, 1.8))):
        words = " ".join(rng.choice(_WORDS, int(rng.integers(2, 9))))
        draw.text((int(rng.integers(4, 20)), line), words, fill=230 if dark else 20, font_size=size)
    return np.asarray(canvas, np.uint8)


def noise(rng: np.random.Generator) -> Image:
    """Noise of one or several grain sizes."""
    field = sum(rng.uniform(0, 1) * smooth_noise(rng, float(scale)) for scale in (1, 3, 10, 30, 80))
    return to_uint8(0.5 + rng.uniform(0.05, 0.4) * np.asarray(field))


def gradient(rng: np.random.Generator) -> Image:
    """Empty exposures: plain fields, ramps and soft blobs."""
    angle = rng.uniform(0, 2 * np.pi)
    field = (np.cos(angle) * _X + np.sin(angle) * _Y) * rng.uniform(0, 1)
    for _ in range(rng.integers(0, 6)):
        centre = tuple(rng.random(2).tolist())
        field = field + rng.uniform(-1, 1) * _ellipse(centre, *rng.uniform(0.05, 0.5, 2))
    field = ndimage.gaussian_filter(field - field.min(), rng.uniform(1, 20))
    return expose(field, rng)


def shapes(rng: np.random.Generator) -> Image:
    """Plain geometric solids: boxes, discs, bars, some in mirrored pairs as lungs are."""
    field = np.full((SIDE, SIDE), rng.uniform(0, 1), np.float32)
    for _ in range(rng.integers(1, 7)):
        x, y, rx, ry = *rng.uniform(0.1, 0.9, 2), *rng.uniform(0.03, 0.3, 2)
        amount, angle, boxy = rng.uniform(-1, 1), rng.uniform(0, np.pi), rng.random() < 0.5
        for centre in ((x, y), (1 - x, y)) if rng.random() < 0.5 else ((x, y),):
            if boxy:
                field += amount * ((np.abs(_X - centre[0]) < rx) & (np.abs(_Y - centre[1]) < ry))
            else:
                field += amount * (_ellipse(centre, rx, ry, angle) > 0)
    return expose(field - field.min(), rng)


Phantom = Callable[[np.random.Generator], Image]
"""Draws one picture, uint8, shape (SIDE, SIDE); all that varies comes from the generator."""
