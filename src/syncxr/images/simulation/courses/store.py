"""Courses of a source body: traced once from the full label map of its CT, kept in the cache."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from syncxr.images.simulation.anatomies import store
from syncxr.images.simulation.courses.courses import SIDES, Courses
from syncxr.images.simulation.courses.curve import even
from syncxr.images.simulation.courses.skin import skin
from syncxr.images.simulation.courses.tracing import STEP, trace
from syncxr.images.simulation.ct import cache_file
from syncxr.images.simulation.preparation.raw import RawCT, load_raw
from syncxr.images.simulation.thorax import SOURCE, Floats, Thorax

VERSION = 1
"""Raise on every change of the tracing: it names the cache file."""

_RIBS_USED = {f"rib {side} {number}" for side in SIDES for number in range(3, 11)}
"""Ribs that fractures, chest tubes and air in the chest wall are put to."""


def load_courses(thorax: Thorax) -> Courses:
    """The courses of a thorax, in its millimetres.

    Raises:
        SyncxrError: The CT's asset cannot be fetched.
    """
    path = cache_file("courses", VERSION, thorax.anatomy)
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            part = path.with_suffix(".part.npz")
            np.savez_compressed(part, **_traced(thorax.anatomy))  # type: ignore[arg-type]
            part.replace(path)
    with np.load(path) as arrays:
        lines = {name: arrays[name] for name in arrays.files}
    for name, line in lines.items():
        if not name.startswith("size "):
            lines[name] = thorax.from_ct(line)
    # Whatever the arms did in the CT, in the body they hang.
    for side, line in zip(SIDES, thorax.clavicles, strict=True):
        lines[f"clavicle {side}"] = even(line, STEP)
    return _named(lines, *skin(thorax))


def _traced(anatomy: str) -> dict[str, Floats]:
    """Lines of a body's CT; those of the shipped one, fitted, where labels do not suffice.

    TotalSegmentator 1 knows neither the veins above the heart nor the spinal cord, and no course
    can be told on thick slices.
    """
    if anatomy == SOURCE:
        return trace(load_raw())
    raw, _ = store.load(anatomy)
    try:
        lines = trace(raw)
        if lines.keys() >= _RIBS_USED:
            return lines
    except (IndexError, KeyError, ValueError):
        pass  # A course that these labels do not hold, or hold too coarsely.
    shipped = load_raw()
    own, other = _lung_box(raw), _lung_box(shipped)
    stretch = (own[1] - own[0]) / (other[1] - other[0])
    fitted = {}
    for name, line in trace(shipped).items():
        offset = 0.0 if name.startswith("size ") else own[0] - other[0] * stretch
        fitted[name] = np.asarray(line * stretch + offset, np.float32)
    return fitted


def _lung_box(raw: RawCT) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the lungs' bounding box, mm from the CT's corner."""
    lungs = np.argwhere(raw.of("lung_"))
    spacing = np.array(raw.spacing)
    return lungs.min(0) * spacing, (lungs.max(0) + 1) * spacing


def _named(
    lines: Mapping[str, Floats], front: Floats, back: Floats, x: Floats, z: Floats
) -> Courses:
    """Sort lines by the structures they belong to."""

    def under(prefix: str) -> dict[str, Floats]:
        return {n.removeprefix(prefix): line for n, line in lines.items() if n.startswith(prefix)}

    return Courses(
        trachea=lines["trachea"],
        bronchi=under("bronchus "),
        oesophagus=lines["oesophagus"],
        vena_cava=lines["vena cava"],
        brachiocephalic=lines["brachiocephalic"],
        ascending=lines["ascending"],
        arch=lines["arch"],
        descending=lines["descending"],
        sternum=lines["sternum"],
        vertebrae={name: line[0] for name, line in under("vertebra ").items()},
        vertebra_size={name: line[0] for name, line in under("size ").items()},
        ribs=under("rib "),
        clavicles=under("clavicle "),
        stomach=lines["stomach"][0],
        skin_front=front,
        skin_back=back,
        skin_x=x,
        skin_z=z,
    )
