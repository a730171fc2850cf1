"""Gaussian smoothing of one picture, on whatever device it is."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

_DIRECT = 3.0
"""Widest kernel that is applied at full size, pixels; wider ones on a reduced picture."""


def gaussian(picture: Tensor, sigma: float) -> Tensor:
    """Picture (H, W) smoothed by ``sigma`` pixels; beyond its edge it goes on as it ends.

    What is smooth needs few samples: for a wide kernel the picture is averaged over squares first
    and interpolated afterwards, and the kernel takes off what those two blur themselves (a square
    of side n has a variance of n²/12, linear interpolation n²/6).
    """
    if sigma < 0.2:
        return picture
    factor = 2 ** max(0, math.ceil(math.log2(sigma / _DIRECT)))
    if factor == 1:
        return _convolve(picture[None, None], sigma)[0, 0]
    height, width = picture.shape
    padded = functional.pad(
        picture[None, None], (0, -width % factor, 0, -height % factor), mode="replicate"
    )
    small = functional.avg_pool2d(padded, factor)
    small = _convolve(small, math.sqrt((sigma / factor) ** 2 - 0.25))
    large = functional.interpolate(small, scale_factor=factor, mode="bilinear", align_corners=False)
    return large[0, 0, :height, :width]


def _convolve(pictures: Tensor, sigma: float) -> Tensor:
    """Both axes in turn, (1, 1, H, W)."""
    reach = math.ceil(3.0 * sigma)
    offsets = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(pictures, (reach, reach, reach, reach), mode="replicate")
    rows = functional.conv2d(padded, kernel[None, None, :, None])
    return functional.conv2d(rows, kernel[None, None, None, :])
