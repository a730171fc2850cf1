"""Faults put into good films: one function a fault, each with a severity.

Every function takes a film (uint8, any size), a generator that decides all that is random, and a
severity in [0, 1] (0 = just a fault, 1 = gross), and returns a film of the same size unless it
says otherwise.
"""

from __future__ import annotations

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw
from scipy import ndimage, signal

from syncxr.curation.labelled_films.phantoms import Field, smooth_noise, to_uint8
from syncxr.curation.labelled_films.randomise import compress, resized
from syncxr.sample import Image

Rng = np.random.Generator


def _unit(film: Image) -> Field:
    return film.astype(np.float32) / 255


def _between(low: float, high: float, severity: float) -> float:
    """From ``low`` at severity 0 to ``high`` at 1."""
    return low + (high - low) * severity


def _grid(film: Image) -> tuple[Field, Field]:
    y, x = np.mgrid[0 : film.shape[0], 0 : film.shape[1]].astype(np.float32)
    return y, x


# --- Is the quality acceptable? ---------------------------------------------------------------


def gaussian_blur(film: Image, rng: Rng, severity: float) -> Image:
    """Blur with a deviation of 0.7 to 3 % of the film's side."""
    return to_uint8(
        ndimage.gaussian_filter(_unit(film), _between(0.007, 0.03, severity) * film.shape[0])
    )


def _convolve(film: Image, kernel: Field) -> Image:
    """Film under a kernel of odd or even sides, edges reflected."""
    margin = max(kernel.shape)
    padded = np.pad(_unit(film), margin, mode="reflect")
    blurred = signal.fftconvolve(padded, kernel / kernel.sum(), mode="same")
    return to_uint8(blurred[margin:-margin, margin:-margin])


def motion_blur(film: Image, rng: Rng, severity: float) -> Image:
    """The patient moved along a line by 3 to 12 % of the film."""
    length = max(5, int(_between(0.03, 0.12, severity) * film.shape[0]))
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    return _convolve(film, ndimage.rotate(line, rng.uniform(0, 180), reshape=False, order=1))


def defocus(film: Image, rng: Rng, severity: float) -> Image:
    """Blur by an even disc, as a large focal spot makes, 1.2 to 4 % of the side in radius."""
    radius = max(2, int(_between(0.012, 0.04, severity) * film.shape[0]))
    axis = np.arange(-radius, radius + 1)
    return _convolve(film, (np.hypot(axis[:, None], axis[None, :]) <= radius).astype(np.float32))


def low_resolution(film: Image, rng: Rng, severity: float) -> Image:
    """Kept at 110 to 36 pixels a side, then enlarged."""
    side = int(_between(110, 36, severity))
    small = Pillow.fromarray(resized(film, side, side))
    how = rng.choice(
        [Pillow.Resampling.BILINEAR, Pillow.Resampling.NEAREST, Pillow.Resampling.BICUBIC]
    )
    return np.asarray(small.resize(film.shape[::-1], Pillow.Resampling(int(how))))


def under_exposed(film: Image, rng: Rng, severity: float) -> Image:
    """Most of the film burnt white: too little dose reached it."""
    return to_uint8(1 - (1 - _unit(film)) * _between(0.35, 0.08, severity) ** rng.uniform(0.8, 1.2))


def over_exposed(film: Image, rng: Rng, severity: float) -> Image:
    """Most of the film black: lungs and borders are lost."""
    cut = _between(0.45, 0.75, severity)
    return to_uint8((_unit(film) - cut) / (1 - cut) * rng.uniform(0.7, 1.0))


def low_contrast(film: Image, rng: Rng, severity: float) -> Image:
    """Grey values squeezed into 22 to 5 % of the range."""
    span = _between(0.22, 0.05, severity)
    return to_uint8(rng.uniform(0.1, 0.9 - span) + span * _unit(film))


def white_noise(film: Image, rng: Rng, severity: float) -> Image:
    """Electronic noise, deviation 14 to 35 % of the range."""
    sigma = _between(0.14, 0.35, severity)
    return to_uint8(_unit(film) + sigma * rng.standard_normal(film.shape))


def quantum_mottle(film: Image, rng: Rng, severity: float) -> Image:
    """Photon noise of a starved exposure, coarser and stronger where the body is dense."""
    amount = _between(0.2, 0.45, severity)
    grain = ndimage.gaussian_filter(rng.standard_normal(film.shape), rng.uniform(0.6, 1.6))
    grain = grain / grain.std()
    return to_uint8(_unit(film) + amount * (0.3 + 0.7 * _unit(film)) * grain)


# --- Is it free of artefacts and over-processing? ---------------------------------------------


def grid_lines(film: Image, rng: Rng, severity: float) -> Image:
    """An anti-scatter grid out of step: fine parallel lines across the film."""
    y, x = _grid(film)
    angle, period = rng.uniform(0, np.pi), rng.uniform(0.012, 0.05) * film.shape[0]
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return to_uint8(_unit(film) + _between(0.06, 0.25, severity) * wave)


def moire(film: Image, rng: Rng, severity: float) -> Image:
    """Two gratings at an angle: lozenges and rosettes."""
    y, x = _grid(film)
    base, step = rng.uniform(0, np.pi), rng.uniform(0.2, 1.2)
    period = rng.uniform(0.015, 0.06) * film.shape[0]
    waves = [
        np.sin(2 * np.pi * (x * np.cos(a) + y * np.sin(a)) / period) for a in (base, base + step)
    ]
    return to_uint8(_unit(film) + _between(0.08, 0.3, severity) * waves[0] * waves[1])


def jpeg_blocks(film: Image, rng: Rng, severity: float) -> Image:
    """Compressed, at a reduced size, until the blocks show."""
    side = int(rng.uniform(0.4, 0.8) * film.shape[0])
    small = compress(resized(film, side, side), int(_between(12, 2, severity)))
    return resized(small, *film.shape)


def text_overlay(film: Image, rng: Rng, severity: float) -> Image:
    """Words, arrows and rulings written over the anatomy."""
    canvas = Pillow.fromarray(film)
    draw = ImageDraw.Draw(canvas)
    height, width = film.shape
    words = ["SAMPLE", "PREVIEW ONLY", "copyright 2020", "fig. 3", "12:41:07", "NOT FOR USE"]
    for _ in range(int(_between(2, 12, severity))):
        x, y = rng.uniform(0.0, 0.7) * width, rng.uniform(0.1, 0.9) * height
        fill = int(rng.choice([0, 128, 255]))
        draw.text(
            (x, y),
            str(rng.choice(words)),
            fill=fill,
            font_size=int(height * rng.uniform(0.05, 0.14)),
        )
    return np.asarray(canvas)


def posterised(film: Image, rng: Rng, severity: float) -> Image:
    """Only 7 to 3 grey values left."""
    levels = round(_between(7, 3, severity)) - 1
    return to_uint8(np.round(_unit(film) * levels) / levels)


def oversharpened(film: Image, rng: Rng, severity: float) -> Image:
    """Unsharp masking until every edge has a halo."""
    source = _unit(film)
    soft = ndimage.gaussian_filter(source, rng.uniform(0.003, 0.012) * film.shape[0])
    return to_uint8(source + _between(4, 12, severity) * (source - soft))


def stripes(film: Image, rng: Rng, severity: float) -> Image:
    """Bands and dead lines of a faulty reader, along rows or columns."""
    result = _unit(film)
    turned = rng.random() < 0.5
    result = result.T.copy() if turned else result.copy()
    count = int(_between(4, 25, severity))
    for start in rng.integers(0, result.shape[0], count):
        width = int(rng.integers(1, max(2, result.shape[0] // 50) + 1))
        band = slice(int(start), int(start) + width)
        if rng.random() < 0.5:
            result[band] = rng.uniform(0, 1)
        else:
            result[band] += rng.choice([-1, 1]) * rng.uniform(0.15, 0.4)
    return to_uint8(result.T if turned else result)


def occluding_object(film: Image, rng: Rng, severity: float) -> Image:
    """Opaque things before the chest: discs, bars, keys, sheets of lead."""
    canvas = Pillow.fromarray(film)
    draw = ImageDraw.Draw(canvas)
    height, width = film.shape
    for _ in range(int(_between(1, 6, severity))):
        x, y = rng.uniform(0.15, 0.75, 2) * (width, height)
        a, b = rng.uniform(0.08, 0.25, 2) * (width, height)
        fill = int(rng.choice([0, 235, 255]))
        kind = rng.integers(3)
        if kind == 0:
            draw.ellipse((x, y, x + a, y + a), fill=fill)
        elif kind == 1:
            corners = rng.uniform(0, 0.3, (5, 2)) * (width, height) + (x, y)
            draw.polygon([tuple(c) for c in corners.tolist()], fill=fill)
        else:
            draw.line((x, y, x + 2 * a, y + b), fill=fill, width=max(3, int(width * 0.03)))
    return np.asarray(canvas)


def blank_patches(film: Image, rng: Rng, severity: float) -> Image:
    """Tiles of the detector missing: even rectangles in the picture."""
    result = film.copy()
    height, width = film.shape
    for _ in range(int(_between(2, 9, severity))):
        h, w = (rng.uniform(0.06, 0.2, 2) * (height, width)).astype(int)
        top, left = int(rng.uniform(0.1, 0.8) * height), int(rng.uniform(0.1, 0.8) * width)
        result[top : top + h, left : left + w] = rng.integers(0, 256)
    return result


# --- Is it of high fidelity (detail, anatomy)? -------------------------------------------------


def _warp(film: Image, dy: Field, dx: Field) -> Image:
    y, x = _grid(film)
    return to_uint8(ndimage.map_coordinates(_unit(film), [y + dy, x + dx], order=1, mode="nearest"))


def _square(film: Image) -> Image:
    side = min(film.shape)
    return resized(film, side, side)


def strong_warp(film: Image, rng: Rng, severity: float) -> Image:
    """Organs and ribs bent as no body bends; the result is square."""
    film = _square(film)
    side = film.shape[0]
    amount = _between(0.025, 0.07, severity) * side
    scale = rng.uniform(0.1, 0.22) * side
    return _warp(film, *(amount * smooth_noise(rng, scale, side) for _ in range(2)))


def swirl(film: Image, rng: Rng, severity: float) -> Image:
    """Whirls: places where everything is twisted round a point."""
    y, x = _grid(film)
    dy, dx = np.zeros_like(y), np.zeros_like(x)
    for _ in range(int(_between(1, 4, severity))):
        cy, cx = rng.uniform(0.25, 0.75, 2) * film.shape
        radius = rng.uniform(0.15, 0.3) * film.shape[0]
        distance = np.hypot(y - cy, x - cx)
        angle = (
            rng.choice([-1, 1]) * _between(1.5, 4, severity) * np.exp(-((distance / radius) ** 2))
        )
        dy += (x - cx) * np.sin(angle) + (y - cy) * (np.cos(angle) - 1)
        dx += (x - cx) * (np.cos(angle) - 1) - (y - cy) * np.sin(angle)
    return _warp(film, dy, dx)


def _soft_mask(film: Image, cy: float, cx: float, ry: float, rx: float) -> Field:
    """1 inside an ellipse (fractions of the film), falling softly to 0 outside."""
    y, x = _grid(film)
    height, width = film.shape
    r = np.hypot((y / height - cy) / ry, (x / width - cx) / rx)
    mask: Field = np.clip((1.2 - r) / 0.4, 0, 1)
    return mask


def duplicated_part(film: Image, rng: Rng, severity: float) -> Image:
    """A second heart, a third lung: parts copied elsewhere with soft edges."""
    source, result = _unit(film), _unit(film)
    height, width = film.shape
    for _ in range(int(_between(1, 5, severity))):
        cy, cx = rng.uniform(0.25, 0.75, 2)
        shift = rng.choice([-1, 1], 2) * rng.uniform(0.15, 0.4, 2)
        moved = np.roll(source, (int(shift[0] * height), int(shift[1] * width)), (0, 1))
        if rng.random() < 0.5:
            moved = moved[:, ::-1]
        mask = _soft_mask(film, cy, cx, *rng.uniform(0.12, 0.25, 2))
        result = result * (1 - mask) + moved * mask
    return to_uint8(result)


def mirrored_half(film: Image, rng: Rng, severity: float) -> Image:
    """One half reflected onto the other: four lungs, two bases, no neck or no belly."""
    height = film.shape[0]
    middle = int(height * rng.uniform(0.4, 0.6))
    half = min(middle, height - middle)
    result = film.copy()
    if rng.random() < 0.5:
        result[middle : middle + half] = result[middle - half : middle][::-1]
    else:
        result[middle - half : middle] = result[middle : middle + half][::-1]
    return result


def jigsaw(film: Image, rng: Rng, severity: float) -> Image:
    """Large tiles changed about, seams blended."""
    count = round(_between(2, 5, severity))
    height, width = film.shape
    h, w = height // count, width // count
    tiles = [film[r * h : r * h + h, c * w : c * w + w] for r in range(count) for c in range(count)]
    order = np.roll(rng.permutation(len(tiles)), 1)
    rows = [np.hstack([tiles[i] for i in order[r * count : (r + 1) * count]]) for r in range(count)]
    shuffled = resized(np.vstack(rows), height, width)
    return to_uint8(ndimage.gaussian_filter(_unit(shuffled), rng.uniform(0.3, 1.2)))


def waxy(film: Image, rng: Rng, severity: float) -> Image:
    """Detail wiped into smooth patches with hard edges, as over-denoised or invented images are."""
    side = 160
    small = resized(film, side, side)
    size = int(_between(5, 13, severity)) | 1
    flat = ndimage.percentile_filter(small, float(rng.uniform(35, 65)), size=size)
    flat = ndimage.median_filter(flat, size=size)
    result = _unit(resized(flat, *film.shape))
    mask = np.clip(smooth_noise(rng, film.shape[0] / 3, max(film.shape)) + 1.2 + severity, 0, 1)
    mask = mask[: film.shape[0], : film.shape[1]]
    return to_uint8(result * mask + _unit(film) * (1 - mask))


def ghost_blend(film: Image, other: Image, rng: Rng, severity: float) -> Image:
    """Two chests, out of register, shining through each other."""
    shift = rng.choice([-1, 1], 2) * rng.uniform(0.06, 0.16, 2) * film.shape
    second = ndimage.rotate(
        _unit(resized(other, *film.shape)), rng.uniform(-15, 15), reshape=False, order=1
    )
    second = ndimage.shift(second, shift, order=1, mode="nearest")
    share = _between(0.3, 0.5, severity)
    return to_uint8((1 - share) * _unit(film) + share * second)


def mixed_halves(film: Image, other: Image, rng: Rng, severity: float) -> Image:
    """Half of one chest grown onto half of another that does not fit it."""
    second = _unit(resized(other, *film.shape))
    offset = rng.choice([-1, 1]) * _between(0.12, 0.3, severity)
    second = np.roll(second, int(offset * film.shape[0]), 0)
    y, x = _grid(film)
    along = x / film.shape[1] if rng.random() < 0.6 else y / film.shape[0]
    if rng.random() < 0.5:
        second = second[:, ::-1]
    mask = np.clip((along - rng.uniform(0.4, 0.6)) / 0.04 + 0.5, 0, 1)
    return to_uint8(_unit(film) * (1 - mask) + second * mask)


# --- Is it a frontal view? ---------------------------------------------------------------------


def upside_down(film: Image, rng: Rng, severity: float) -> Image:
    """Turned by 180 degrees, or flipped head to foot."""
    return np.ascontiguousarray(film[::-1, ::-1] if rng.random() < 0.5 else film[::-1])


def sideways(film: Image, rng: Rng, severity: float) -> Image:
    """Turned by 90 degrees either way; sides change places."""
    return np.ascontiguousarray(np.rot90(film, int(rng.choice([1, 3]))))


def cropped(film: Image, rng: Rng, severity: float) -> Image:
    """A corner or an edge of the chest: 50 to 25 % of each side."""
    height, width = film.shape
    keep = _between(0.5, 0.25, severity)
    h, w = int(height * keep), int(width * keep)
    # Off the middle, so that never two whole lungs remain.
    top = int(rng.choice([0, 0.5, 1]) * (height - h) * rng.uniform(0.85, 1))
    left = int(rng.choice([0, 1]) * (width - w) * rng.uniform(0.85, 1))
    return np.ascontiguousarray(film[top : top + h, left : left + w])
