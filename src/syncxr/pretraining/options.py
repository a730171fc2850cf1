"""Settings of a pre-training run; importable without torch."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from syncxr.pretraining.data.options import DataOptions
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.pretraining.training.schedule import Schedule
from syncxr.registry import BackendSpec

Precision = Literal["no", "bf16", "fp16"]
"""Number format of the towers: single precision, or mixed with a half one (fp16: GPUs only). The
losses are computed in single precision throughout."""

Tracker = Literal["tensorboard", "wandb"]

LITE0 = "tf_efficientnet_lite0"
"""timm's name of the network whose weights the asset ``efficientnet-lite0`` holds.

The ``tf_`` variant (TensorFlow's SAME padding, BatchNorm epsilon 1e-3, grey values scaled to
[-1, 1]) and not plain ``efficientnet_lite0``: the weights were converted from the TensorFlow
release, whose PyTorch port sets these values, and on photographs the activations lie nearer to
the stored BatchNorm statistics (median |log variance ratio| .192 against .202 for the plain
variant, .287 with ImageNet's mean and deviation).
"""


class ImageEncoderOptions(BaseModel):
    """Which network looks at the films, and what it starts from.

    Attributes:
        name: Any timm model name, e.g. ``"resnet50"``.
        weights: ``"efficientnet-lite0"`` (the embedded asset), a file (``.safetensors``, or
            ``.pth`` holding tensors only), ``"timm"`` for timm's own release from the hub, or
            ``""`` for a random start.
        partial: Start at random what the weights do not cover, instead of refusing them; the
            record of the run names it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = LITE0
    weights: str = "efficientnet-lite0"
    partial: bool = False


class ScratchText(BaseModel):
    """Sizes of a BERT that starts at random.

    Attributes:
        layers: Transformer blocks.
        width: Of the tokens' features; a multiple of ``heads``.
        heads: Of the attention.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: int = Field(default=4, ge=1)
    width: int = Field(default=256, ge=1)
    heads: int = Field(default=4, ge=1)

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        return self


class TextEncoderOptions(BaseModel):
    """Which network reads the words, and what it starts from.

    Attributes:
        model: ``"minilm-l6-v2"`` (the embedded asset), a local folder, or a hub id.
        revision: Commit of the hub id, so that a run can be repeated.
        scratch: Sizes of a small network that starts at random; ``model`` then gives the
            tokenizer alone. ``{}`` takes the default sizes.
        partial: Start at random what the weights do not cover, instead of refusing them; the
            record of the run names it.
        frozen_layers: How many of the first layers stay as they are, with the embeddings;
            ``None`` is half of them (ConVIRT: 6 of 12), and none from scratch.
        max_tokens: Longer texts are cut; how many were is in the summary of the run.
        last_layers: How many of the last layers are summed into the tokens' features
            (ConVIRT: 1; GLoRIA: 4).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "minilm-l6-v2"
    revision: str | None = None
    scratch: ScratchText | None = None
    partial: bool = False
    frozen_layers: int | None = Field(default=None, ge=0)
    max_tokens: int = Field(default=97, ge=8, le=512)
    last_layers: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _learns(self) -> Self:
        if self.scratch and (self.frozen_layers or self.partial):
            raise ValueError("a text encoder from scratch has no weights to freeze or to fit")
        return self


class Augmentation(BaseModel):
    """Strengths of the random changes; 0 switches one off.

    ConVIRT's own: crop .6, rotation 20, shift .1, scale .05, contrast .4, blur 3, mirror .5.
    Mirroring is off here by default: it makes every "left" and "right" of the reports wrong and
    puts the heart on the other side.

    Attributes:
        crop: Smallest share of the area that a random crop keeps, in (0, 1]; 1 = no crop.
        rotation: Largest rotation, degrees either way.
        shift: Largest shift, as a share of the side.
        scale: Largest zoom either way, as a share.
        contrast: Largest change of brightness and of contrast, as a share.
        blur: Largest deviation of a Gaussian blur in pixels, given to half of the films.
        mirror: Probability of a left-right flip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    crop: float = Field(default=0.9, gt=0, le=1)
    rotation: float = Field(default=5.0, ge=0, le=180)
    shift: float = Field(default=0.03, ge=0, lt=1)
    scale: float = Field(default=0.05, ge=0, lt=1)
    contrast: float = Field(default=0.2, ge=0, lt=1)
    blur: float = Field(default=0.5, ge=0)
    mirror: float = Field(default=0.0, ge=0, le=1)


class PretrainingOptions(BaseModel):
    """Everything that decides a run; pairs in memory take the place of ``data.sources``.

    The optimiser's settings are ConVIRT's.

    Attributes:
        method: Key of :data:`syncxr.pretraining.METHODS`, with its own options beside it.
        image_encoder: Film tower.
        text_encoder: Text tower.
        preprocessing: How films are prepared.
        augmentation: Random changes of the films.
        data: What is trained on, and which words stand beside a film.
        epochs: Passes over the training pairs.
        minutes: Stop after the first step that ends later than this, whatever ``epochs`` says;
            ``None`` = no limit. A run that is cut off depends on the machine's speed.
        batch_size: Pairs that are contrasted with each other, those of all processes together; an
            incomplete last batch is left out of its epoch.
        accumulation: Batches whose gradients are averaged in one step. Adds no negatives.
        precision: ``no``, ``bf16`` or ``fp16``.
        learning_rate: Peak rate of Adam.
        betas: Of Adam; GLoRIA takes .5 for the first.
        weight_decay: L2 term of Adam.
        clip: Largest norm of the gradient; ``None`` = as it is. GLoRIA: .25.
        ema: Decay of a running mean of the weights, which is then evaluated and kept in place of
            the last step's, e.g. .999; ``None`` = none.
        schedule: See :func:`syncxr.pretraining.training.schedule.rate`; GLoRIA: ``plateau``.
        warmup: Share of the steps over which the rate rises from zero.
        keep: Whether the checkpoint has the weights of the last step or, of all whole epochs, those
            with the lowest validation loss.
        patience: Stop when the validation loss has not fallen for this many epochs; ``None`` =
            never. GLoRIA: 10.
        save_every: Seconds of training between checkpoints, which are taken after any step.
        trackers: Where curves go; ``None`` = TensorBoard if it is installed.
        seed: Decides start, order, captions and augmentation.
        threads: CPU threads; ``None`` = as torch decides. Part of what makes a run repeatable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: BackendSpec = BackendSpec(name="convirt")
    image_encoder: ImageEncoderOptions = ImageEncoderOptions()
    text_encoder: TextEncoderOptions = TextEncoderOptions()
    preprocessing: Preprocessing = Preprocessing()
    augmentation: Augmentation = Augmentation()
    data: DataOptions = DataOptions()
    epochs: int = Field(default=50, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    batch_size: int = Field(default=32, ge=2)
    accumulation: int = Field(default=1, ge=1)
    precision: Precision = "no"
    learning_rate: float = Field(default=3e-4, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(default=1e-6, ge=0)
    clip: float | None = Field(default=None, gt=0)
    ema: float | None = Field(default=None, gt=0, lt=1)
    schedule: Schedule = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1)
    keep: Literal["last", "best"] = "last"
    patience: int | None = Field(default=None, ge=1)
    save_every: float = Field(default=120, ge=0)
    trackers: tuple[Tracker, ...] | None = None
    seed: int = 0
    threads: int | None = Field(default=None, ge=1)

    @property
    def watched(self) -> bool:
        """Whether anything depends on the validation loss."""
        return bool(self.patience) or self.schedule == "plateau" or self.keep == "best"

    @model_validator(mode="after")
    def _can_be_watched(self) -> Self:
        if self.data.validation_fraction == 0 and self.watched:
            raise ValueError("patience, plateau and best need a data.validation_fraction above 0")
        return self
