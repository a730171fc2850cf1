"""The thoracic aorta: unfolded, wide, calcified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import Points, between
from syncxr.images.simulation.findings.finding import SEVERITIES, Areas, Change, check_place, settle
from syncxr.images.simulation.findings.heart.lumps import Lump, grow
from syncxr.images.simulation.shapes import Material, Shape, Tube
from syncxr.images.simulation.shapes.materials import CALCIUM
from syncxr.sample import Entity

BOWS = {"mild": (12.5, 15.0), "moderate": (17.0, 20.0), "severe": (21.5, 24.0)}
"""Bow of the descending aorta to the left, mm, against up to 11 in patients without the finding: an
unfolded aorta's border lies 1 to 3 cm further out (Fraser & Paré, 4th ed., ch. 1)."""

WIDTHS = {"mild": (1.28, 1.34), "moderate": (1.40, 1.48), "severe": (1.54, 1.60)}
"""Calibre against the source's 2.6 cm (descending) and 3.4 cm (ascending); dilated from 1.25 of
normal, an aneurysm from 1.5 on (Hiratzka et al., Circulation 2010)."""

ANEURYSMS = {"mild": (1.50, 1.53), "moderate": (1.54, 1.57), "severe": (1.58, 1.60)}
"""The same for an aneurysm."""

AREA_CM2 = dict.fromkeys(SEVERITIES, (45.0, 170.0))
"""On the film: ascending aorta, arch and descending aorta to the diaphragm, 2.5 to 5 cm wide over
some 25 to 30 cm."""

PLAQUES = {"mild": (2, 3), "moderate": (4, 6), "severe": (8, 11)}
"""Calcified plaques of the arch: grade 1 spots, grade 2 one or more areas, grade 3 circumferential
(Symeonidis et al., Int Angiol 2002)."""

CALCIUM_AREA_CM2 = {"mild": (0.4, 8.0), "moderate": (0.8, 13.0), "severe": (1.5, 24.0)}
"""On the film: plaques of 1 to 3 cm by some 3 mm along the knob and the descending aorta."""

_RADII = {"ascending": 17.0, "arch": 14.0, "descending": 12.5}
"""Of the source's aorta, mm."""


def shadow(body: Body, width: float = 1.0) -> tuple[Shape, ...]:
    """The aorta's course from its root to the diaphragm, of no mass: for masks."""
    courses = body.courses
    low = body.marks.dome - 5.0
    lines = {
        "ascending": courses.ascending,
        "arch": courses.arch,
        "descending": between(courses.descending, low, 1e3),
    }
    return tuple(
        Tube(line, _RADII[name] * width, Material())
        for name, line in lines.items()
        if len(line) > 1
    )


@dataclass(frozen=True)
class Aorta:
    """The aorta lengthens and bows (tortuous, unfolded) or widens (dilated, aneurysm).

    Mask: its shadow down to the diaphragm.

    Attributes:
        concept: Of the lexicon.
        field: Of the patient.
        values: By severity.
    """

    concept: str
    field: str
    values: Mapping[str, tuple[float, float]]

    area_cm2: ClassVar[Areas] = AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """An aorta has no side."""
        return "the aorta is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Ask for a bow or a calibre."""
        words = settle(entity, rng)
        value = float(rng.uniform(*self.values[words.severity]))
        wanted: dict[str, Any] = {self.field: value}
        width = value if self.field == "aorta_width" else body.patient.aorta_width
        parameters = {"severity": words.severity, **wanted}
        extent = grow(body, _bulges(body, value)) if self.field == "aorta_width" else None
        return Change(parameters, extent, shadow(body, width), wanted, least_path=0.5)


def _bulges(body: Body, width: float) -> list[Lump]:
    """What a wide aorta takes of the lung: round the end of its arch and the descending part."""
    courses = body.courses
    arch = [(point, _RADII["arch"]) for point in courses.arch[-4::2]]
    down = between(courses.descending, body.marks.dome + 25.0, 1e3)
    descending = [(point, _RADII["descending"]) for point in down[::3]]
    return [
        Lump((float(x), float(y), float(z)), (radius * width, radius * width, radius * width))
        for (x, y, z), radius in arch + descending
    ]


@dataclass(frozen=True)
class Calcification:
    """Calcified plaques in the wall of arch and descending aorta: thin bright arcs.

    Most at the knob, whose outer wall is seen in profile.

    Attributes:
        concept: Of the lexicon.
    """

    concept: str

    area_cm2: ClassVar[Areas] = CALCIUM_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """An aorta has no side."""
        return "the aorta is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay plaques into the wall."""
        words = settle(entity, rng)
        low, high = PLAQUES[words.severity]
        count = int(rng.integers(low, high + 1))
        shapes = tuple(_plaque(body, number, rng) for number in range(count))
        parameters = {"severity": words.severity, "plaques": count}
        return Change(parameters, shapes=shapes, least_path=0.02)


def _plaque(body: Body, number: int, rng: np.random.Generator) -> Tube:
    """An arc round the arch's end, or a piece along the descending aorta's left wall."""
    radius = float(rng.uniform(0.9, 1.7))
    if number % 4 == 3:
        line = between(body.courses.descending, body.marks.dome + 20.0, 1e3)
        start = int(rng.integers(1, max(2, len(line) - 7)))
        piece: Points = np.add(line[start : start + 6], (_RADII["descending"] - 0.5, 0.0, 0.0))
        return Tube(piece.astype(np.float32), radius, CALCIUM)
    arch = body.courses.arch
    middle = arch[int(rng.integers(len(arch) // 2, len(arch)))]
    start_angle = float(rng.uniform(-25.0, 60.0))
    angles = np.deg2rad(start_angle + np.linspace(0.0, float(rng.uniform(40.0, 85.0)), 8))
    wall = _RADII["arch"] + float(rng.uniform(-1.0, 0.5))
    arc = middle + np.stack(
        [wall * np.cos(angles), np.linspace(-2.0, 2.0, 8), wall * np.sin(angles)], 1
    )
    return Tube(arc.astype(np.float32), radius, CALCIUM)


AORTA = (
    Aorta("aortic tortuosity", "aorta_tortuosity", BOWS),
    Aorta("aortic dilatation", "aorta_width", WIDTHS),
    Aorta("aortic aneurysm", "aorta_width", ANEURYSMS),
    Calcification("aortic calcification"),
    Calcification("atherosclerosis"),
)
