"""Domain randomisation: what may differ between films that are equally good.

Real chest films differ from simulated ones in response curve, field, borders, markers, arms,
tubes and wires. None of that makes a film bad, so the judge sees it on good and bad films alike
and learns to look past it (Tobin et al., "Domain randomization", IROS 2017).
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw
from scipy import ndimage

from syncxr.curation.labelled_films.phantoms import Field, smooth_noise, to_uint8
from syncxr.sample import Image

_SIDE = 320
"""Strong randomisation works at this size; the judge's view of the whole film is coarser."""


def slightly(film: Image, rng: np.random.Generator) -> Image:
    """What a good renderer may vary: tone, size, a marker. Detail and anatomy stay.

    Args:
        film: uint8, (H, W).
        rng: Decides everything.
    """
    tone = (film.astype(np.float32) / 255) ** rng.uniform(0.85, 1.18)
    result = to_uint8(tone)
    if rng.random() < 0.4:
        height, width = film.shape
        scale = rng.uniform(0.75, 1.0) if min(height, width) >= 384 else rng.uniform(1.0, 1.3)
        result = _resize(result, int(height * scale), int(width * scale))
    if rng.random() < 0.3:
        result = _corner_marker(result, rng)
    return result


def strongly(film: Image, rng: np.random.Generator, *, upright: bool = True) -> Image:
    """Everything about making and storing a film that leaves what it shows alone.

    Args:
        film: uint8, (H, W).
        rng: Decides everything.
        upright: Whether orientation carries meaning (it does for a chest): turns stay within a
            few degrees. Otherwise any turn and zoom may come.
    """
    field: Field = _resize(film, _SIDE, _SIDE).astype(np.float32) / 255
    if rng.random() < 0.5:
        field = field[:, ::-1]
    if upright and rng.random() < 0.5:
        field = _bodily(field, rng)
    field = _tone(field, rng)
    field = _place(field, rng, upright)
    if rng.random() < 0.6:
        field = _extras(field, rng)
    if rng.random() < 0.5:
        field = _collimate(field, rng)
    if rng.random() < 0.4:
        field = _tone(field, rng)
    return _store(field, rng)


def inverted(film: Image) -> Image:
    """Bone dark, as films stored for MONOCHROME1 look: another display, no fault."""
    return 255 - film


def _resize(film: Image, height: int, width: int) -> Image:
    size = (max(width, 8), max(height, 8))
    return np.asarray(Pillow.fromarray(film).resize(size, Pillow.Resampling.BILINEAR))


def _tone(field: Field, rng: np.random.Generator) -> Field:
    """Gamma, S-curve, window, local equalisation."""
    field = np.clip(field, 0, 1) ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.3:
        slope, middle = rng.uniform(3, 9), rng.uniform(0.35, 0.65)
        low, high = (1 / (1 + np.exp(-slope * (v - middle))) for v in (0.0, 1.0))
        field = (1 / (1 + np.exp(-slope * (field - middle))) - low) / (high - low)
    if rng.random() < 0.3:
        surround = ndimage.gaussian_filter(field, rng.uniform(15, 60), truncate=2)
        field = np.clip(field - rng.uniform(0.2, 0.7) * (surround - surround.mean()), 0, 1)
    low, high = rng.uniform(0, 0.2), rng.uniform(0.6, 1)
    if rng.random() < 0.5:
        field = low + (high - low) * field
    return field.astype(np.float32)


def _bodily(field: Field, rng: np.random.Generator) -> Field:
    """Soft differences between patients: breadth, bulges, veils of opacity, arms."""
    side = field.shape[0]
    if rng.random() < 0.7:
        amplitude = rng.uniform(2, 9)
        dy, dx = (amplitude * smooth_noise(rng, side / 4, side) for _ in range(2))
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)
        field = ndimage.map_coordinates(field, [y + dy, x + dx], order=1, mode="nearest")
    for _ in range(rng.integers(0, 4)):
        y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
        cy, cx, ry, rx = *rng.uniform(0.15, 0.85, 2), *rng.uniform(0.06, 0.3, 2)
        veil = np.exp(-(((y - cy) / ry) ** 2) - ((x - cx) / rx) ** 2)
        field = field + rng.uniform(0, 0.85) * veil * (0.9 - field) * (field > 0.05)
    if rng.random() < 0.25:
        field = _arms(field, rng)
    if rng.random() < 0.4:
        field = _neck(field, rng)
    return field.astype(np.float32)


def _arms(field: Field, rng: np.random.Generator) -> Field:
    """Upper arms hanging close beside the chest: wider films than the simulator takes."""
    side = field.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    margin = rng.uniform(0.0, 0.14)
    squeezed = ndimage.zoom(field, (1, 1 - 2 * margin), order=1)
    pad = side - squeezed.shape[1]
    result = np.pad(squeezed, ((0, 0), (pad // 2, pad - pad // 2)), mode="constant")
    width, tilt, grey = rng.uniform(0.05, 0.11), rng.uniform(-0.1, 0.15), rng.uniform(0.3, 0.6)
    for edge, sign in ((0.0, 1), (1.0, -1)):
        axis = edge + sign * (margin * 0.5 + tilt * (0.5 - y))
        flesh = np.sqrt(np.maximum(1 - ((x - axis) / width) ** 2, 0)) * (
            y > rng.uniform(0.05, 0.25)
        )
        bone = np.abs(x - axis) < width * 0.25
        arm = grey * flesh * (1 + 0.4 * ndimage.gaussian_filter(bone.astype(np.float32), 2))
        result = np.maximum(result, arm) + 0.2 * np.minimum(result, arm)
    return result.astype(np.float32)


def _neck(field: Field, rng: np.random.Generator) -> Field:
    """Neck, chin and the air above sloping shoulders, where the CT ends at the shoulders."""
    side = field.shape[0]
    down = int(side * rng.uniform(0.05, 0.28))
    lowered = np.concatenate([np.repeat(field[:1], down, 0), field[: side - down]])
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    off = np.abs(x - 0.5 - rng.normal(0, 0.03))
    width, slope = rng.uniform(0.09, 0.18), rng.uniform(0.15, 0.5)
    line = down / side * rng.uniform(0.7, 1.1) + slope * np.maximum(off - width, 0) - 0.06
    outside = np.clip((line - y) / 0.03, 0, 1) * np.clip((off - width) / 0.03, 0, 1)
    chin = np.clip((0.6 * down / side - y - 1.5 * off**2) / 0.03, 0, 1) * (off < 1.3 * width)
    level = float(np.quantile(field, rng.uniform(0.5, 0.9)))
    veiled = lowered + rng.uniform(0, 0.9) * chin * (level - lowered).clip(0)
    necked: Field = veiled * (1 - outside) + rng.uniform(0, 0.1) * outside
    return necked


def _place(field: Field, rng: np.random.Generator, upright: bool) -> Field:
    """Turn, stretch, shift; what comes into view beyond the film is even."""
    side = field.shape[0]
    angle = np.deg2rad(rng.normal(0, 4) if upright else rng.uniform(-180, 180))
    zoom = rng.uniform(0.8, 1.38) if upright else rng.uniform(0.6, 1.7)
    if upright and rng.random() < 0.15:
        zoom = rng.uniform(0.55, 0.8)
    scale = zoom * np.exp(rng.normal(0, 0.08, 2))
    shift = rng.normal(0, 0.05 if upright else 0.08, 2) * side
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([[c, -s], [s, c]]) / scale
    middle = np.full(2, (side - 1) / 2)
    offset = middle - matrix @ (middle + shift)
    fill = float(rng.choice([0.0, 0.0, rng.uniform(0, 1)]))
    grown = upright and rng.random() < 0.4
    placed: Field = ndimage.affine_transform(
        field, matrix, offset, order=1, mode="nearest" if grown else "constant", cval=fill
    )
    return placed


def _collimate(field: Field, rng: np.random.Generator) -> Field:
    """Straight borders, often a little askew: shutters, cassette edges, white or black frames."""
    side = field.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    result = field
    deepest = 0.24 if rng.random() < 0.2 else 0.1
    for _ in range(rng.integers(1, 5)):
        angle = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.06)
        reach = 0.5 - rng.uniform(0.0, deepest)
        beyond = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) > reach
        grey = float(rng.choice([0.0, 0.02, rng.uniform(0, 0.4), 1.0], p=[0.45, 0.2, 0.2, 0.15]))
        result = np.where(beyond, grey + rng.uniform(0, 0.15) * field, result)
    return result.astype(np.float32)


def _draw_on(field: Field) -> tuple[Pillow.Image, ImageDraw.ImageDraw]:
    canvas = Pillow.new("L", field.shape[::-1])
    return canvas, ImageDraw.Draw(canvas)


def _extras(field: Field, rng: np.random.Generator) -> Field:
    """Letters at the rim, tubes, wires, electrodes, clips: part of many good films."""
    side = field.shape[0]
    canvas, draw = _draw_on(field)
    for _ in range(rng.integers(0, 3)):
        words = str(
            rng.choice(["L", "R", "AP", "PA", "ERECT", "PORTABLE", "SUPINE", "A", "b)", "1"])
        )
        x = rng.choice([rng.uniform(0.01, 0.2), rng.uniform(0.75, 0.93)]) * side
        y = rng.choice([rng.uniform(0.01, 0.2), rng.uniform(0.8, 0.93)]) * side
        draw.text((x, y), words, fill=255, font_size=int(rng.integers(7, 24)))
    for _ in range(rng.integers(0, 4)):
        points = (rng.random((2, 2)) * side).tolist()
        control = rng.random(2) * side
        t = np.linspace(0, 1, 30)[:, None]
        curve = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * control + t**2 * points[1]
        draw.line([tuple(p) for p in curve.tolist()], fill=int(rng.integers(90, 255)), width=1)
    for _ in range(rng.integers(0, 4)):
        x, y = (rng.random(2) * side).tolist()
        r = rng.uniform(1.5, 6)
        draw.ellipse((x - r, y - r, x + r, y + r), outline=255, fill=int(rng.choice([0, 255])))
    if rng.random() < 0.1:
        x, y = (rng.uniform(0.15, 0.8, 2) * side).tolist()
        r = rng.uniform(10, 22)
        draw.rounded_rectangle((x, y, x + r, y + r), radius=6, fill=235)
    ink = np.asarray(canvas, np.float32) / 255
    ink = ndimage.gaussian_filter(ink, rng.uniform(0, 0.7))
    return (field + rng.uniform(0.3, 1) * ink * (1 - field)).astype(np.float32)


def _corner_marker(film: Image, rng: np.random.Generator) -> Image:
    canvas = Pillow.fromarray(film)
    draw = ImageDraw.Draw(canvas)
    height, width = film.shape
    x = rng.choice([rng.uniform(0.02, 0.1), rng.uniform(0.86, 0.93)]) * width
    draw.text(
        (x, rng.uniform(0.02, 0.12) * height),
        str(rng.choice(["L", "R"])),
        fill=int(rng.integers(200, 255)),
        font_size=max(8, height // int(rng.integers(16, 26))),
    )
    return np.asarray(canvas)


def _store(field: Field, rng: np.random.Generator) -> Image:
    """Blur, grain, size, aspect and compression of an archive."""
    if rng.random() < 0.4:
        field = ndimage.gaussian_filter(field, rng.uniform(0, 1.3))
    if rng.random() < 0.4:
        field = field + rng.uniform(0, 0.05) * rng.standard_normal(field.shape)
    film = to_uint8(np.asarray(field))
    height, width = (rng.uniform(180, 512) * np.exp(rng.normal(0, 0.1, 2))).astype(int)
    film = _resize(film, int(height), int(width))
    return compress(film, int(rng.integers(40, 95))) if rng.random() < 0.4 else film


def compress(film: Image, quality: int) -> Image:
    """Through JPEG and back; ``quality`` 1 to 95."""
    stream = BytesIO()
    Pillow.fromarray(film).save(stream, "JPEG", quality=quality)
    return np.asarray(Pillow.open(stream).convert("L"))


def resized(film: NDArray[np.uint8], height: int, width: int) -> Image:
    """Bilinear with antialiasing; used wherever films change size."""
    return _resize(film, height, width)
