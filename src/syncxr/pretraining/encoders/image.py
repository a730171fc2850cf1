"""The image tower: any timm network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from syncxr.assets import ASSETS, fetch
from syncxr.errors import SyncxrError
from syncxr.pretraining.encoders.features import ImageFeatures
from syncxr.pretraining.encoders.lite0 import lite0_name
from syncxr.pretraining.encoders.loading import LoadReport, fill
from syncxr.pretraining.options import LITE0, ImageEncoderOptions


class ImageEncoder(nn.Module):
    """A timm network without its classifier.

    The global feature is the mean of the spatial ones, so that a projection of the global feature
    also applies at every place (grounding).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        try:
            config = timm.get_pretrained_cfg(name)
            fixed = config and config.fixed_input_size
            self.arguments: dict[str, Any] = {"dynamic_img_size": True} if fixed else {}
            self.backbone: Any = timm.create_model(
                name, pretrained=False, num_classes=0, **self.arguments
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise SyncxrError(
                f"image encoder {name!r}: timm cannot make it for any image size ({error}); "
                "timm.list_models() lists the names"
            ) from error
        given = self.backbone.pretrained_cfg
        self.register_buffer("mean", torch.tensor(given["mean"]).reshape(1, -1, 1, 1))
        self.register_buffer("deviation", torch.tensor(given["std"]).reshape(1, -1, 1, 1))
        was_training = self.backbone.training
        with torch.no_grad():
            probe = self.eval()(torch.zeros(1, 1, 64, 64))
        self.train(was_training)
        self.channels = int(probe.pooled.shape[1])
        self.local_channels = int(probe.local.shape[1])

    def forward(self, images: Tensor) -> ImageFeatures:
        """Look at films.

        Args:
            images: (N, 1, S, S), grey values in [0, 1].
        """
        pixels = (images.expand(-1, self.mean.shape[1], -1, -1) - self.mean) / self.deviation
        last, (local,) = self.backbone.forward_intermediates(
            pixels, indices=[-2], output_fmt="NCHW"
        )
        spatial = self._as_map(last, images)
        return ImageFeatures(spatial.mean((2, 3)), spatial, local)

    def _as_map(self, features: Tensor, images: Tensor) -> Tensor:
        """Channels first: from a convolutional map, a channels-last map or a row of tokens."""
        if features.ndim == 3:
            tokens = features[:, getattr(self.backbone, "num_prefix_tokens", 0) :]
            side = round(tokens.shape[1] ** 0.5)
            return tokens.transpose(1, 2).reshape(len(images), -1, side, side)
        if getattr(self.backbone, "output_fmt", "NCHW") == "NHWC":
            return features.permute(0, 3, 1, 2)
        return features


def build_image_encoder(options: ImageEncoderOptions) -> tuple[ImageEncoder, LoadReport]:
    """Make the image tower and fill in its starting weights.

    Raises:
        SyncxrError: Unknown name, or weights that do not fill every tensor of the tower.
    """
    encoder = ImageEncoder(options.name)
    if not options.weights:
        return encoder, LoadReport("random start")
    tensors = _image_weights(options)
    source = f"{options.name} from {options.weights}"
    return encoder, fill(encoder.backbone, tensors, source, options.partial)


def _image_weights(options: ImageEncoderOptions) -> Mapping[str, Tensor]:
    """Tensors of the chosen file under timm's names."""
    if options.weights in ASSETS:
        if options.name != LITE0:
            raise SyncxrError(
                f"weights {options.weights!r} belong to {LITE0}, not to {options.name}; "
                'set weights to a file, "timm" or ""'
            )
        file = next(fetch(options.weights).glob("*.pth"))
        stored = torch.load(file, weights_only=True, map_location="cpu")
        return {lite0_name(key): value for key, value in stored.items()}
    if options.weights == "timm":
        try:
            full = timm.create_model(options.name, pretrained=True)
        except Exception as error:  # the hub's client raises many kinds
            raise SyncxrError(
                f"timm's weights of {options.name} cannot be fetched ({error}); give a file"
            ) from error
        return dict(full.state_dict())
    path = Path(options.weights)
    if not path.is_file():
        raise SyncxrError(f"image encoder weights {path} are missing; give a .safetensors or .pth")
    if path.suffix == ".safetensors":
        tensors: dict[str, Tensor] = load_file(path)
        return tensors
    try:
        stored = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises several kinds, none of them documented
        raise SyncxrError(
            f"{path} holds more than tensors or is damaged; save it as safetensors"
        ) from error
    return dict(stored.get("state_dict", stored))
