"""Courses through the source body that devices and fractures follow: airway, veins, ribs, midline.

Derived once from the CT's full label map (which tells every rib and vessel) and kept in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

from syncxr.images.simulation.anatomies import store
from syncxr.images.simulation.ct import cache_file
from syncxr.images.simulation.preparation.raw import RawCT, load_raw
from syncxr.images.simulation.thorax import SOURCE, Floats, Thorax

VERSION = 1
"""Raise on every change of the tracing: it names the cache file."""

SIDES = ("left", "right")

_STEP = 4.0
"""Between the points of a course, mm."""


@dataclass(frozen=True)
class Courses:
    """Curves of the source body, each (N, 3): x, y, z in mm, some 4 mm apart.

    Attributes:
        trachea: From the neck to the carina, its last point.
        bronchi: Side to the main bronchus, from the carina.
        oesophagus: From the neck to the stomach's fundus.
        vena_cava: Superior; from the confluence of the brachiocephalic veins to the atrium.
        brachiocephalic: Left vein, from the left jugular angle to the confluence.
        ascending: Ascending aorta, upwards.
        arch: Aortic arch, from ascending to descending aorta.
        descending: Descending aorta, downwards.
        sternum: Front of the sternum's middle, downwards.
        vertebrae: Name ("T7") to the middle of its body, (3,).
        vertebra_size: Name to width, depth and height of its body, (3,).
        ribs: Name ("left 7") to its middle line, from the spine to the front.
        clavicles: Side to its middle line, from the sternum outwards.
        stomach: Middle of the stomach, (3,).
        skin_front: y of the chest's front at ``skin_z`` and ``skin_x``, (Z, X); NaN outside.
        skin_back: The same of its back.
        skin_x: Columns of both, (X,).
        skin_z: Rows of both, (Z,).
    """

    trachea: Floats
    bronchi: Mapping[str, Floats]
    oesophagus: Floats
    vena_cava: Floats
    brachiocephalic: Floats
    ascending: Floats
    arch: Floats
    descending: Floats
    sternum: Floats
    vertebrae: Mapping[str, Floats]
    vertebra_size: Mapping[str, Floats]
    ribs: Mapping[str, Floats]
    clavicles: Mapping[str, Floats]
    stomach: Floats
    skin_front: Floats
    skin_back: Floats
    skin_x: Floats
    skin_z: Floats

    def skin(self, x: float, z: float, front: bool = True) -> float:
        """Y of the skin at a place, mm; that of the nearest place where there is any."""
        surface = self.skin_front if front else self.skin_back
        row = int(np.abs(self.skin_z - z).argmin())
        known = np.flatnonzero(np.isfinite(surface[row]))
        column = known[np.abs(self.skin_x[known] - x).argmin()]
        return float(surface[row, column])


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
        lines[f"clavicle {side}"] = even(line, _STEP)
    return _named(lines, *_skin(thorax))


_RIBS_USED = {f"rib {side} {number}" for side in SIDES for number in range(3, 11)}
"""Ribs that fractures, chest tubes and air in the chest wall are put to."""


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


def trace(ct: RawCT) -> dict[str, Floats]:
    """All lines of a CT with its label map, in mm from its corner, (N, 3) each."""
    raw = _Map(ct.labels, ct.spacing, ct.ids, ndimage.find_objects(ct.labels))
    carina, trachea, bronchi = _airway(raw)
    ascending, arch, descending = _aorta(raw)
    # Labels name the vein from the left; its way from the neck runs down along the carotid.
    vein = _by_slice(raw, "brachiocephalic_vein_left")[::-1]
    oesophagus = _by_slice(raw, "esophagus")[::-1]
    stomach = _places(raw, "stomach")
    fundus = stomach[stomach[:, 2] > np.percentile(stomach[:, 2], 90)].mean(0)
    lines = {
        "trachea": np.vstack([trachea, carina]),
        **{f"bronchus {side}": line for side, line in bronchi.items()},
        "oesophagus": np.vstack([oesophagus, fundus]),
        "vena cava": _by_slice(raw, "superior_vena_cava")[::-1],
        "brachiocephalic": vein,
        "ascending": ascending,
        "arch": arch,
        "descending": descending,
        "sternum": _front_of(raw, "sternum"),
        "stomach": stomach.mean(0)[None],
        **{f"rib {name}": line for name, line in _ribs(raw)},
        **{f"clavicle {side}": _clavicle(raw, side) for side in SIDES},
    }
    smooth = {
        name: even(line, _STEP, 2.0) if len(line) > 3 else line for name, line in lines.items()
    }
    for name, middle, size in _vertebrae(raw):
        smooth[f"vertebra {name}"], smooth[f"size {name}"] = middle[None], size[None]
    return {name: np.asarray(line, np.float32) for name, line in smooth.items()}


def even(line: Floats | NDArray[np.float64], step: float, smooth: float = 0.0) -> Floats:
    """A curve (N, 3) at even distances of about ``step`` mm, smoothed over ``smooth`` points."""
    line = np.asarray(line, np.float64)
    if smooth:
        # Fixed ends: smooth what deviates from the chord.
        share = np.linspace(0.0, 1.0, len(line))[:, None]
        chord = line[:1] * (1.0 - share) + line[-1:] * share
        line = chord + ndimage.gaussian_filter1d(line - chord, smooth, axis=0, mode="nearest")
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0.0, lengths[-1], max(2, round(lengths[-1] / step) + 1))
    return np.stack([np.interp(at, lengths, line[:, i]) for i in range(3)], 1).astype(np.float32)


@dataclass(frozen=True)
class _Map:
    """A label map, its structures found by their boxes.

    Attributes:
        labels: (X, Y, Z).
        spacing: mm.
        ids: Structure to label.
        boxes: Box of label 1, 2, ...; ``None`` for those that are not there.
    """

    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    ids: Mapping[str, int]
    boxes: Sequence[tuple[slice, ...] | None]


def _places(raw: _Map, name: str) -> NDArray[np.float64]:
    """Voxel centres of a structure, mm from the CT's corner, (N, 3)."""
    number = raw.ids[name]
    box = raw.boxes[number - 1] if number <= len(raw.boxes) else None
    if box is None:
        return np.empty((0, 3))
    found = np.argwhere(raw.labels[box] == number) + [side.start for side in box]
    places: NDArray[np.float64] = (found + 0.5) * np.array(raw.spacing)
    return places


def _by_slice(raw: _Map, name: str) -> NDArray[np.float64]:
    """Middle of a structure in every axial slice, upwards, (N, 3)."""
    places = _places(raw, name)
    return np.array([places[places[:, 2] == z].mean(0) for z in np.unique(places[:, 2])])


def _parts(places: NDArray[np.float64], gap: float) -> list[NDArray[np.float64]]:
    """Places of one slice split where x leaves a gap."""
    ordered = places[places[:, 0].argsort()]
    cuts = np.flatnonzero(np.diff(ordered[:, 0]) > gap) + 1
    return [part for part in np.split(ordered, cuts) if len(part) > 40]


def _airway(
    raw: _Map,
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Carina, trachea downwards to it, main bronchi from it."""
    places = _places(raw, "trachea")
    trachea: list[NDArray[np.float64]] = []
    bronchi: dict[str, list[NDArray[np.float64]]] = {side: [] for side in SIDES}
    for z in np.unique(places[:, 2])[::-1]:
        parts = _parts(places[places[:, 2] == z], 2.0)
        if len(parts) == 1 and not bronchi["left"]:
            trachea.append(parts[0].mean(0))
        elif len(parts) > 1:
            bronchi["right"].append(parts[0].mean(0))
            bronchi["left"].append(parts[-1].mean(0))
    below = 0.5 * (bronchi["left"][0] + bronchi["right"][0])
    carina = np.array([below[0], below[1], trachea[-1][2]])
    return (
        carina,
        np.array(trachea),
        {side: np.array([carina, *line]) for side, line in bronchi.items()},
    )


def _aorta(raw: _Map) -> tuple[NDArray[np.float64], ...]:
    """Ascending part upwards, arch, descending part downwards."""
    places = _places(raw, "aorta")
    ascending, descending = [], []
    heights = np.unique(places[:, 2])
    for z in heights:
        here = places[places[:, 2] == z]
        middle = 0.5 * (here[:, 1].min() + here[:, 1].max())
        rows = np.unique(here[:, 1])
        gaps = np.flatnonzero(np.diff(rows) > 3.0)
        if len(gaps):
            middle = rows[gaps[0]] + 1.0
            ascending.append(here[here[:, 1] > middle].mean(0))
            descending.append(here[here[:, 1] < middle].mean(0))
        elif not ascending:
            descending.append(here.mean(0))
    top = places[places[:, 2] > ascending[-1][2]]
    # From front to back over the top, by the angle about the arch's lower middle.
    foot = 0.5 * (ascending[-1] + descending[-1])
    angle = np.arctan2(top[:, 2] - foot[2], top[:, 1] - foot[1])
    bins = np.linspace(angle.min(), angle.max(), 14)
    which = np.digitize(angle, bins)
    arch = np.array([top[which == k].mean(0) for k in range(1, 14) if (which == k).sum() > 20])
    return np.array(ascending), arch, np.array(descending)[::-1]


def _front_of(raw: _Map, name: str) -> NDArray[np.float64]:
    """Foremost middle of a structure, slice by slice, downwards."""
    places = _places(raw, name)
    line = []
    for z in np.unique(places[:, 2])[::-1]:
        here = places[places[:, 2] == z]
        line.append((here[:, 0].mean(), np.percentile(here[:, 1], 90), z))
    return np.array(line)


def _ribs(raw: _Map) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Name and middle line, from the spine to the front.

    Seen from above a rib is a C: the angle about the middle of its hull orders it.
    """
    for side in SIDES:
        for number in range(1, 13):
            places = _places(raw, f"rib_{side}_{number}")
            if len(places) < 200:
                continue
            flat = places[:, :2]
            hull = flat[ConvexHull(flat).vertices]
            middle = 0.5 * (hull.mean(0) + 0.5 * (flat.min(0) + flat.max(0)))
            sign = 1.0 if side == "left" else -1.0
            angle = np.arctan2(sign * (flat[:, 0] - middle[0]), -(flat[:, 1] - middle[1]))
            # The gap of the C, towards the midline, is where the angle starts anew.
            start = _gap(angle)
            angle = (angle - start) % (2.0 * np.pi)
            bins = np.linspace(angle.min(), angle.max(), max(8, int(np.ptp(angle) * 12)))
            which = np.digitize(angle, bins)
            line = [places[which == k].mean(0) for k in range(1, len(bins)) if (which == k).any()]
            yield f"{side} {number}", np.array(line)


def _gap(angle: NDArray[np.float64]) -> float:
    """Middle of the widest gap among angles."""
    ordered = np.sort(angle)
    gaps = np.diff(np.append(ordered, ordered[0] + 2.0 * np.pi))
    widest = int(gaps.argmax())
    return float(ordered[widest] + gaps[widest] / 2)


def _clavicle(raw: _Map, side: str) -> NDArray[np.float64]:
    """From the sternum outwards, by the distance along its longest axis."""
    places = _places(raw, f"clavicula_{side}")
    middle = places.mean(0)
    axis = np.linalg.svd(places[::7] - middle, full_matrices=False)[2][0]
    sign = 1.0 if side == "left" else -1.0
    along = (places - middle) @ (axis * np.sign(axis[0]) * sign)
    bins = np.linspace(along.min(), along.max(), 24)
    which = np.digitize(along, bins)
    return np.array([places[which == k].mean(0) for k in range(1, 24) if (which == k).any()])


def _vertebrae(
    raw: _Map,
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Name, middle and size of the bodies: what of a vertebra lies before the spinal canal."""
    cord = _places(raw, "spinal_cord")
    for name in raw.ids:
        if not name.startswith("vertebrae_T") and name != "vertebrae_L1":
            continue
        places = _places(raw, name)
        if len(places) < 500:
            continue
        near = cord[np.abs(cord[:, 2] - np.median(places[:, 2])) < 4.0]
        body = places[places[:, 1] > near[:, 1].max() + 1.0]
        low, high = np.percentile(body, [3, 97], axis=0)
        yield name.removeprefix("vertebrae_"), 0.5 * (low + high), high - low


def _skin(thorax: Thorax) -> tuple[Floats, Floats, Floats, Floats]:
    """Front and back of the body by row and column, every 6 mm."""
    step = max(1, round(6.0 / thorax.spacing))
    body = thorax.labels[:, ::step, ::step] > 0
    y = thorax.axis("y")
    some = body.any(0)
    front = np.where(some, y[len(y) - 1 - body[::-1].argmax(0)], np.nan).astype(np.float32)
    back = np.where(some, y[body.argmax(0)], np.nan).astype(np.float32)
    return front, back, thorax.axis("x")[::step], thorax.axis("z")[::step]
