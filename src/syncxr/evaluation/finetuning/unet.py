"""A U-Net whose encoder is a pre-trained image tower (segmentation-models-pytorch)."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn

from syncxr.errors import SyncxrError
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.encoders.loading import LoadReport


class UNet(nn.Module):
    """Films to logits of one mask.

    The encoder is timm's own network of the tower's name in the form that gives a feature map at
    each scale; it takes every one of its tensors from the tower, or is refused. Grey values are
    repeated and normalised as the tower does it.

    Attributes:
        network: ``segmentation_models_pytorch.Unet``.
        report: Which tensors of the tower were taken over and which have no place in a U-Net.
        frozen: Whether the encoder stays as it is, BatchNorm statistics included.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, encoder: ImageEncoder, *, frozen: bool) -> None:
        super().__init__()
        self.frozen = frozen
        self.network = _network(encoder)
        self.report = _take_over(self.network.encoder.model, encoder)
        self.register_buffer("mean", encoder.mean.clone())
        self.register_buffer("deviation", encoder.deviation.clone())
        self.network.encoder.requires_grad_(not frozen)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, 1, S, S) of films (N, 1, S, S) in [0, 1]."""
        pixels = (images.expand(-1, self.mean.shape[1], -1, -1) - self.mean) / self.deviation
        logits: Tensor = self.network(pixels)
        return logits

    def train(self, mode: bool = True) -> Self:
        """Training mode; a frozen encoder's statistics stay as they are."""
        super().train(mode)
        if self.frozen:
            self.network.encoder.eval()
        return self


def check_side(encoder: ImageEncoder, size: int) -> None:
    """A U-Net halves its films five times.

    Raises:
        SyncxrError: ``size`` does not allow it.
    """
    if size % 32:
        raise SyncxrError(
            f"segmentation from {encoder.name} needs films whose side is a multiple of 32, the "
            f"checkpoint's is {size}; pre-train with another preprocessing.size"
        )


def _network(encoder: ImageEncoder) -> Any:
    try:
        import segmentation_models_pytorch as smp
    except ModuleNotFoundError as error:
        raise SyncxrError(
            "segmentation needs segmentation-models-pytorch; run: pip install 'syncxr[evaluation]'"
        ) from error
    channels = encoder.mean.shape[1]
    try:
        return smp.Unet(f"tu-{encoder.name}", encoder_weights=None, in_channels=channels, classes=1)
    except (RuntimeError, ValueError, KeyError, AttributeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SyncxrError(
            f"image encoder {encoder.name!r} gives no feature map at each scale, which a U-Net "
            f"needs ({first}); use a convolutional one such as resnet50"
        ) from error


def _take_over(into: nn.Module, encoder: ImageEncoder) -> LoadReport:
    """Copy the tower's tensors; every tensor of the U-Net's encoder must get its own."""
    given, wanted = encoder.backbone.state_dict(), into.state_dict()
    unfit = [
        key for key, own in wanted.items() if key not in given or given[key].shape != own.shape
    ]
    if unfit:
        raise SyncxrError(
            f"{len(unfit)} of {len(wanted)} tensors of a U-Net's {encoder.name} have no like in "
            f"the checkpoint, the first {unfit[0]}; use another image encoder"
        )
    into.load_state_dict({key: given[key] for key in wanted})
    left_out = tuple(sorted(set(given) - set(wanted)))
    return LoadReport(f"U-Net encoder from {encoder.name}", tuple(wanted), left_out)
