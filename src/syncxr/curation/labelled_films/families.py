"""Every kind of film the judge learns from or is tested on, and what is true of it.

A family is named after its fault. Those with ``held_out`` are never trained on: they measure
whether a question is understood or a list of faults was memorised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from syncxr.curation.judge import QUESTIONS
from syncxr.curation.labelled_films import corruptions, phantoms, randomise, views
from syncxr.curation.labelled_films.stock import Stock
from syncxr.sample import Image, derive_seed

Rng = np.random.Generator
Make = Callable[[Stock, Rng, float], Image]

_CHEST_SHOWN = {"chest": True, "human": True, "frontal": True}
_ALL_GOOD = dict.fromkeys(QUESTIONS, True)
_ALL_GOOD_BUT_QUALITY = {question: True for question in QUESTIONS if question != "quality"}
"""Strong randomisation may darken, blur or shrink a film to where its quality is arguable."""


@dataclass(frozen=True)
class Family:
    """One kind of film.

    Attributes:
        name: Name of the fault.
        make: Makes one, from stock, generator and severity in [0, 1].
        answers: Question to its true answer; questions left out are open for this family.
        held_out: Never trained on, only tested on.
    """

    name: str
    make: Make
    answers: dict[str, bool]
    held_out: bool = False

    @property
    def fails(self) -> tuple[str, ...]:
        """The questions whose true answer is no; empty for good films."""
        return tuple(question for question, yes in self.answers.items() if not yes)

    def __call__(self, stock: Stock, rng: Rng, severity: float) -> Image:
        """A film of this family; stock, generator and severity decide it entirely."""
        return self.make(stock, rng, severity)


@dataclass
class _Table:
    families: list[Family] = field(default_factory=list)

    def add(self, name: str, make: Make, answers: dict[str, bool], held_out: bool = False) -> None:
        self.families.append(Family(name, make, answers, held_out))


def _phantom(draw: phantoms.Phantom) -> Make:
    return lambda stock, rng, severity: randomise.strongly(draw(rng), rng, upright=False)


def _up_to(most: float) -> Callable[[Rng], float]:
    return lambda rng: float(rng.uniform(-most, most))


def _either_side(middle: float, spread: float) -> Callable[[Rng], float]:
    return lambda rng: float(rng.choice([-1, 1]) * rng.uniform(middle - spread, middle + spread))


_small = _up_to(8)

_POSES: dict[str, tuple[Callable[[Rng], float], ...]] = {
    # yaw, pitch, roll
    "plain_projection": (_small, _small, _up_to(4)),
    "lateral": (_either_side(90, 20), _small, _small),
    "oblique": (_either_side(52, 15), _small, _small),
    "craniocaudal": (_small, _either_side(58, 14), _small),
    "diagonal": (_small, _small, _either_side(55, 17)),
}

_VIEWS = 120
"""Projections kept of each pose; a projection takes longer than all that follows it."""


_RENDERED = {
    "rendered_lateral": views.rendered_lateral,
    "rendered_oblique": views.rendered_oblique,
}
"""The same sides taken by the renderer itself, so that its look says nothing about the view."""


@cache
def _projection(kind: str, number: int) -> Image:
    rng = np.random.default_rng(derive_seed(f"curation-view-{number}", kind, 0))
    if kind in _RENDERED:
        return _RENDERED[kind](rng)
    return views.view(rng, views.Pose(*(angle(rng) for angle in _POSES[kind])))


def _posed(kind: str) -> Make:
    return lambda stock, rng, severity: randomise.strongly(
        _projection(kind, int(rng.integers(_VIEWS))), rng
    )


def _rendered(kind: str) -> Make:
    """Half of them as rendered, half varied like any other film."""

    def make(stock: Stock, rng: Rng, severity: float) -> Image:
        change = randomise.strongly if rng.random() < 0.5 else randomise.slightly
        return change(_projection(kind, int(rng.integers(_VIEWS))), rng)

    return make


def _sliced(plane: str) -> Make:
    return lambda stock, rng, severity: randomise.strongly(views.ct_slice(rng, plane), rng)


def _part(stock: Stock, rng: Rng, severity: float) -> Image:
    return randomise.strongly(views.part(rng), rng, upright=False)


def _varied(stock: Stock, rng: Rng, severity: float) -> Image:
    return randomise.strongly(stock.draw(rng), rng)


def _good(stock: Stock, rng: Rng, severity: float) -> Image:
    return randomise.slightly(stock.draw(rng), rng)


def _inverted(stock: Stock, rng: Rng, severity: float) -> Image:
    return randomise.inverted(_good(stock, rng, severity))


_Corruption = Callable[[Image, Rng, float], Image]
_Blend = Callable[[Image, Image, Rng, float], Image]


def _turned(change: _Corruption) -> Make:
    return lambda stock, rng, severity: randomise.strongly(
        change(stock.draw(rng), rng, severity), rng
    )


def _spoilt(change: _Corruption) -> Make:
    return lambda stock, rng, severity: change(
        randomise.slightly(stock.draw(rng), rng), rng, severity
    )


def _blended(change: _Blend) -> Make:
    return lambda stock, rng, severity: change(
        randomise.slightly(stock.draw(rng), rng), stock.draw(rng), rng, severity
    )


def _table() -> list[Family]:
    table = _Table()
    add = table.add

    add("good", _good, _ALL_GOOD)
    add("inverted", _inverted, _ALL_GOOD)
    add("varied", _varied, _ALL_GOOD_BUT_QUALITY)
    add("plain_projection", _posed("plain_projection"), _CHEST_SHOWN)

    no_chest = {"chest": False, "human": True, "frontal": False}
    add("hand", _phantom(phantoms.hand), no_chest)
    add("foot", _phantom(phantoms.foot), no_chest)
    add("arm", _phantom(phantoms.arm), no_chest)
    add("knee", _phantom(phantoms.knee), no_chest)
    add("body_part", _part, no_chest)
    add("ct_axial", _sliced("axial"), no_chest)
    add("ct_coronal", _sliced("coronal"), no_chest)
    add("ct_sagittal", _sliced("sagittal"), no_chest, held_out=True)
    add("skull", _phantom(phantoms.skull), no_chest, held_out=True)

    no_human = {"chest": False, "human": False, "frontal": False}
    for draw in (
        phantoms.quadruped,
        phantoms.fish,
        phantoms.luggage,
        phantoms.circuit,
        phantoms.text_page,
        phantoms.noise,
        phantoms.gradient,
        phantoms.shapes,
    ):
        add(draw.__name__, _phantom(draw), no_human)
    add("bird", _phantom(phantoms.bird), no_human, held_out=True)
    add("gears", _phantom(phantoms.gears), no_human, held_out=True)

    not_frontal = {"chest": True, "human": True, "frontal": False}
    add("lateral", _posed("lateral"), not_frontal)
    add("oblique", _posed("oblique"), not_frontal)
    for kind in _RENDERED:
        add(kind, _rendered(kind), not_frontal)
    add("upside_down", _turned(corruptions.upside_down), not_frontal)
    add("sideways", _turned(corruptions.sideways), not_frontal)
    add("cropped", _turned(corruptions.cropped), {"human": True, "frontal": False})
    add("craniocaudal", _posed("craniocaudal"), not_frontal, held_out=True)
    add("diagonal", _posed("diagonal"), not_frontal, held_out=True)

    poor = _CHEST_SHOWN | {"quality": False}
    for change in (
        corruptions.gaussian_blur,
        corruptions.motion_blur,
        corruptions.low_resolution,
        corruptions.under_exposed,
        corruptions.over_exposed,
        corruptions.low_contrast,
        corruptions.white_noise,
    ):
        add(change.__name__, _spoilt(change), poor)
    add("defocus", _spoilt(corruptions.defocus), poor, held_out=True)
    add("quantum_mottle", _spoilt(corruptions.quantum_mottle), poor, held_out=True)

    marred = _CHEST_SHOWN | {"artefact_free": False}
    for change in (
        corruptions.grid_lines,
        corruptions.jpeg_blocks,
        corruptions.text_overlay,
        corruptions.posterised,
        corruptions.oversharpened,
        corruptions.stripes,
        corruptions.occluding_object,
    ):
        add(change.__name__, _spoilt(change), marred)
    add("moire", _spoilt(corruptions.moire), marred, held_out=True)
    add("blank_patches", _spoilt(corruptions.blank_patches), marred, held_out=True)

    false = {"human": True, "fidelity": False}
    for change in (
        corruptions.strong_warp,
        corruptions.duplicated_part,
        corruptions.mirrored_half,
        corruptions.jigsaw,
        corruptions.waxy,
    ):
        add(change.__name__, _spoilt(change), false)
    add("ghost_blend", _blended(corruptions.ghost_blend), false)
    add("swirl", _spoilt(corruptions.swirl), false, held_out=True)
    add("mixed_halves", _blended(corruptions.mixed_halves), false, held_out=True)
    return table.families


FAMILIES: dict[str, Family] = {family.name: family for family in _table()}
"""All families by name; ``good``, ``inverted``, ``varied`` and ``plain_projection`` hold the good
films."""

GOOD = tuple(family for family in FAMILIES.values() if not family.fails)
FAULTY = tuple(family for family in FAMILIES.values() if family.fails)
TRAINED = tuple(family for family in FAULTY if not family.held_out)
HELD_OUT = tuple(family for family in FAULTY if family.held_out)
