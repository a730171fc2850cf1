"""What a method does to the pooled features of a tower, taken apart into layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from syncxr.errors import SyncxrError
from syncxr.pretraining.methods.convirt import ConVIRT
from syncxr.pretraining.methods.gloria import GLoRIA
from syncxr.pretraining.methods.siglip import SigLIP


@dataclass(frozen=True)
class Head:
    """From pooled features to the common space.

    Attributes:
        hidden: A linear layer that a ReLU follows, or None.
        last: The linear layer at the end; None = the features stay as they are.
    """

    hidden: nn.Linear | None
    last: nn.Linear | None

    def projection(self, width: int) -> Tensor:
        """Weights of the last layer with its bias as the last column, (d, C + 1).

        Args:
            width: Of the features that come in, which is C where nothing comes before.
        """
        if self.last is None:
            return torch.cat([torch.eye(width), torch.zeros(width, 1)], 1)
        return torch.cat([self.last.weight, self.last.bias[:, None]], 1).detach().cpu()


@dataclass(frozen=True)
class Heads:
    """How a method compares films and texts as wholes.

    Attributes:
        image: Of the film tower.
        text: Of the text tower.
        scale: What cosines are multiplied with.
        words_only: Tokens of no word (GLoRIA: all special ones but the first) do not count.
        note: What of the method these heads leave out; ``""`` if nothing.
    """

    image: Head
    text: Head
    scale: float
    words_only: bool = False
    note: str = ""


def heads_of(method: object) -> Heads:
    """Take a method apart.

    Raises:
        SyncxrError: It is one that this module does not know.
    """
    if isinstance(method, ConVIRT):
        image, text = (
            Head(cast(nn.Linear, sequence[0]), cast(nn.Linear, sequence[2]))
            for sequence in (method.image_projection, method.text_projection)
        )
        return Heads(image, text, 1 / method.options.temperature)
    if isinstance(method, SigLIP):
        return Heads(
            Head(None, method.image_projection),
            Head(None, method.text_projection),
            math.exp(method.log_scale.item()),
            note=f"the bias of the logits, {method.bias.item():.4f}, which orders nothing anew",
        )
    if isinstance(method, GLoRIA):
        return Heads(
            Head(None, method.global_projection),
            Head(None, None),
            method.options.global_scale,
            words_only=True,
            note="the word-by-word half of GLoRIA's logits and its maps",
        )
    raise SyncxrError(
        f"{type(method).__name__} cannot be exported: its projections are not known to "
        "syncxr.pretraining.export.heads; add them there"
    )
