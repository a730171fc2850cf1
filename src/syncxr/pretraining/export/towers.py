"""The towers of a syncxr model for transformers' ``VisionTextDualEncoderModel``.

This file lies in every exported folder, where it needs torch, transformers and timm but not
syncxr. Importing it makes the two towers known to transformers.

That class projects both towers with one linear layer without a bias, and has no text network
whose output is a mean over tokens. So a tower here ends with what comes before the last linear
layer (for ConVIRT: the mean, a linear layer and a ReLU) and, as its last feature, a constant 1,
which the projection multiplies with the bias.
"""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    PreTrainedConfig,
    PreTrainedModel,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
)
from transformers.modeling_outputs import BaseModelOutputWithPooling


class SyncxrFilmConfig(PreTrainedConfig):  # type: ignore[misc]
    """Attributes.

    architecture: Name of a timm network.
    model_args: Further arguments of ``timm.create_model``.
    hidden_size: Features of the tower, the constant among them.
    projected: Whether a linear layer and a ReLU follow the mean.
    """

    model_type = "syncxr-film"

    architecture: str = "resnet50"
    model_args: dict[str, Any] | None = None
    hidden_size: int = 2049
    projected: bool = False


class SyncxrTextConfig(PreTrainedConfig):  # type: ignore[misc]
    """Attributes.

    network: Configuration of a transformers encoder.
    hidden_size: Features of the tower, the constant among them.
    last_layers: How many of the last layers are added up.
    skipped_ids: Tokens that do not count towards the mean, unless they stand first.
    projected: Whether a linear layer and a ReLU follow the mean.
    """

    model_type = "syncxr-text"

    network: dict[str, Any] | None = None
    hidden_size: int = 769
    last_layers: int = 1
    skipped_ids: list[int] | None = None
    projected: bool = False


class SyncxrFilmTower(PreTrainedModel):  # type: ignore[misc]
    """The mean over the places of a timm network's last map."""

    config_class = SyncxrFilmConfig
    main_input_name = "pixel_values"

    def __init__(self, config: SyncxrFilmConfig) -> None:
        super().__init__(config)
        given = config.model_args or {}
        self.backbone = timm.create_model(
            config.architecture, pretrained=False, num_classes=0, **given
        )
        width = self.backbone.num_features
        self.hidden = nn.Linear(width, config.hidden_size - 1) if config.projected else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Everything comes from the file, but for tables that timm works out itself."""
        work_out = getattr(module, "init_non_persistent_buffers", None)
        if callable(work_out):
            work_out()

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:
        """Normalised films (N, 3, S, S)."""
        last, _ = self.backbone.forward_intermediates(pixel_values, indices=[-2], output_fmt="NCHW")
        if last.ndim == 3:
            last = last[:, getattr(self.backbone, "num_prefix_tokens", 0) :]
            pooled = last.mean(1)
        elif getattr(self.backbone, "output_fmt", "NCHW") == "NHWC":
            pooled = last.mean((1, 2))
        else:
            pooled = last.mean((2, 3))
        return BaseModelOutputWithPooling(last, _ended(pooled, self.hidden))


class SyncxrTextTower(PreTrainedModel):  # type: ignore[misc]
    """The mean over the tokens of a transformers encoder."""

    config_class = SyncxrTextConfig
    main_input_name = "input_ids"

    def __init__(self, config: SyncxrTextConfig) -> None:
        super().__init__(config)
        given = dict(config.network or {"model_type": "bert"})
        self.network = AutoModel.from_config(AutoConfig.for_model(**given))
        if getattr(self.network, "pooler", None) is not None:
            self.network.pooler = None
        width = self.network.config.hidden_size
        self.hidden = nn.Linear(width, config.hidden_size - 1) if config.projected else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Everything comes from the file."""

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any
    ) -> BaseModelOutputWithPooling:
        """Token numbers (N, T) and where there are any."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        layers = self.config.last_layers
        found = self.network(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=layers > 1
        )
        states = found.last_hidden_state
        if layers > 1:
            states = torch.stack(found.hidden_states[-layers:]).sum(0)
        counts = attention_mask.bool()
        for token in self.config.skipped_ids or ():
            skipped = input_ids == token
            counts = counts & ~torch.cat([torch.zeros_like(skipped[:, :1]), skipped[:, 1:]], 1)
        weights = counts.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
        return BaseModelOutputWithPooling(states, _ended(pooled, self.hidden))


def _ended(pooled: Tensor, hidden: nn.Linear | None) -> Tensor:
    """What the projection gets: the features, and 1."""
    features = pooled if hidden is None else hidden(pooled).relu()
    return torch.cat([features, torch.ones_like(features[:, :1])], 1)


class SyncxrDualEncoderConfig(VisionTextDualEncoderConfig):  # type: ignore[misc]
    """That of any ``VisionTextDualEncoderModel``."""


class SyncxrDualEncoder(VisionTextDualEncoderModel):  # type: ignore[misc]
    """A ``VisionTextDualEncoderModel``, under a name that makes transformers read this file."""

    config_class = SyncxrDualEncoderConfig


for _config, _tower in ((SyncxrFilmConfig, SyncxrFilmTower), (SyncxrTextConfig, SyncxrTextTower)):
    AutoConfig.register(_config.model_type, _config, exist_ok=True)
    AutoModel.register(_config, _tower, exist_ok=True)
