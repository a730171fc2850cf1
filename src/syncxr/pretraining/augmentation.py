"""Random views of a batch of films, drawn and computed for the whole batch at once."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, conv2d, grid_sample, pad

from syncxr.pretraining.options import Augmentation


def augment(images: Tensor, options: Augmentation, generator: Generator) -> Tensor:
    """Change films (N, 1, S, S) with grey values in [0, 1]; the shape stays.

    Numbers are drawn on the CPU, the same for any device that the films are on.
    """
    moved = _move(images, options, generator)
    return _regrade(_soften(moved, options, generator), options, generator)


def _move(images: Tensor, options: Augmentation, generator: Generator) -> Tensor:
    """Crop, rotation, shift, zoom and flip as one resampling."""
    count = len(images)
    side = _uniform(count, options.crop, 1.0, generator).sqrt()
    zoom = side * _uniform(count, 1 - options.scale, 1 + options.scale, generator)
    angle = _uniform(count, -options.rotation, options.rotation, generator) * (math.pi / 180)
    flip = 1 - 2 * (torch.rand(count, generator=generator) < options.mirror).float()
    # The crop lies anywhere inside the film; the shift may look past its edge.
    reach = (1 - side) + 2 * options.shift
    right = _uniform(count, -1, 1, generator) * reach
    down = _uniform(count, -1, 1, generator) * reach
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = (cosine * flip, -sine, right, sine * flip, cosine, down)
    matrix = torch.stack(rows, 1).reshape(count, 2, 3).to(images.device)
    grid = affine_grid(matrix, list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def _soften(images: Tensor, options: Augmentation, generator: Generator) -> Tensor:
    """A separable Gaussian blur of its own width for each film."""
    if options.blur == 0:
        return images
    count = len(images)
    width = _uniform(count, 0.1, max(options.blur, 0.1), generator)
    sharp = torch.rand(count, generator=generator) < 0.5
    reach = math.ceil(2 * options.blur)
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernels = torch.exp(-(offsets**2) / (2 * width.unsqueeze(1) ** 2))
    kernels[sharp] = (offsets == 0).float()
    kernels = (kernels / kernels.sum(1, keepdim=True)).to(images.device)
    # One group a film lets one call blur each with its own kernel.
    stacked = pad(images.transpose(0, 1), (reach,) * 4, mode="replicate")
    stacked = conv2d(stacked, kernels[:, None, None, :], groups=count)
    stacked = conv2d(stacked, kernels[:, None, :, None], groups=count)
    return stacked.transpose(0, 1)


def _regrade(images: Tensor, options: Augmentation, generator: Generator) -> Tensor:
    """Brightness, then contrast about the film's own mean."""
    count = len(images)
    low, high = 1 - options.contrast, 1 + options.contrast
    gain, spread = (
        _uniform(count, low, high, generator).reshape(-1, 1, 1, 1).to(images.device)
        for _ in range(2)
    )
    brighter = images * gain
    mean = brighter.mean((1, 2, 3), keepdim=True)
    return (mean + (brighter - mean) * spread).clamp(0, 1)


def _uniform(count: int, low: float, high: float, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low
