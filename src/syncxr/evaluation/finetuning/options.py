"""Settings of fine-tuning: the field's protocols by name, importable without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from syncxr.pretraining.options import Augmentation

_FIXED = ConfigDict(extra="forbid", frozen=True)


class LinearOptions(BaseModel):
    """Protocol ``linear``: a linear layer on frozen features, as MGCA and GLoRIA do it.

    Attributes:
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        batch_size: Films a step.
        epochs: At most so many.
        patience: Epochs without a lower validation loss before it stops.
    """

    model_config = _FIXED

    learning_rate: float = Field(default=5e-4, gt=0)
    weight_decay: float = Field(default=1e-6, ge=0)
    batch_size: int = Field(default=48, ge=1)
    epochs: int = Field(default=50, ge=1)
    patience: int = Field(default=10, ge=1)


class FullOptions(BaseModel):
    """Protocol ``full``: a linear layer on an image tower that trains with it, as MAVL does it.

    All epochs are run; the one with the best validation AUROC is kept.

    Attributes:
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        batch_size: Films a step; all go through the tower at once, because BatchNorm sees them.
        epochs: So many.
        augmentation: Random changes of the training films.
    """

    model_config = _FIXED

    learning_rate: float = Field(default=1e-5, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    batch_size: int = Field(default=256, ge=1)
    epochs: int = Field(default=60, ge=1)
    augmentation: Augmentation = Augmentation()


class SegmentationOptions(BaseModel):
    """A U-Net on the image tower.

    Attributes:
        encoder: ``full``: the tower trains too (Adam, GLoRIA); ``frozen``: the decoder alone
            (AdamW, MGCA).
        loss: ``focal-dice``: 10 · focal(γ = 2) − log(dice) (GLoRIA, MGCA); or ``dice-bce``.
        learning_rate: Of either optimiser.
        weight_decay: ``None``: 0 for ``full``, .05 for ``frozen``.
        batch_size: Films a step.
        epochs: At most so many.
        patience: Epochs without a higher validation Dice (over all films) before it stops.
        threshold: Probability from which a pixel is called.
    """

    model_config = _FIXED

    encoder: Literal["full", "frozen"] = "full"
    loss: Literal["focal-dice", "dice-bce"] = "focal-dice"
    learning_rate: float = Field(default=5e-4, gt=0)
    weight_decay: float | None = Field(default=None, ge=0)
    batch_size: int = Field(default=16, ge=1)
    epochs: int = Field(default=50, ge=1)
    patience: int = Field(default=10, ge=1)
    threshold: float = Field(default=0.5, gt=0, lt=1)

    @property
    def decay(self) -> float:
        """Weight decay of the protocol, or the one given."""
        if self.weight_decay is not None:
            return self.weight_decay
        return 0.05 if self.encoder == "frozen" else 0.0
