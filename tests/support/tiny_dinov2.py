"""A real DINOv2 of a few thousand weights, with RAD-DINO's kind of processor, saved as it is."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BitImageProcessor, Dinov2Config, Dinov2Model


def save(folder: Path, seed: int = 0) -> Path:
    """Build and save the model; another seed, other weights."""
    torch.manual_seed(seed)
    model = Dinov2Model(
        Dinov2Config(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            mlp_ratio=2,
            image_size=28,
            patch_size=14,
            initializer_range=0.3,
        )
    )
    model.eval().save_pretrained(folder)
    # As microsoft/rad-dino: shortest edge, centre crop, its own mean and deviation.
    BitImageProcessor(
        size={"shortest_edge": 28},
        crop_size={"height": 28, "width": 28},
        image_mean=[0.5307] * 3,
        image_std=[0.2583] * 3,
    ).save_pretrained(folder)
    return folder
