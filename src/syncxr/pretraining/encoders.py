"""The two towers: any timm model for films, any transformers model for words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor, nn

from syncxr.assets import ASSETS, fetch
from syncxr.errors import SyncxrError
from syncxr.pretraining.options import LITE0, ImageEncoderOptions, TextEncoderOptions


class Channels(NamedTuple):
    """Widths of the features that a method connects: C, C' and D below."""

    pooled: int
    local: int
    text: int


class ImageFeatures(NamedTuple):
    """What the image tower gives.

    Attributes:
        pooled: Mean of ``spatial``, (N, C).
        spatial: The last map, (N, C, h, w).
        local: The map of the stage before, finer and less abstract, (N, C', h', w'); a network
            of one resolution gives its last but one block.
    """

    pooled: Tensor
    spatial: Tensor
    local: Tensor


class TokenRow(NamedTuple):
    """One tokenised text: token numbers, and the word that each token is a piece of.

    The first token (BERT's [CLS]) is word 0, the words of the text follow from 1 on, and any
    other special token is of no word: -1.
    """

    ids: tuple[int, ...]
    words: tuple[int, ...]


class Tokens(NamedTuple):
    """A batch of tokenised texts, each (N, T): ``mask`` is 1 where there is a token."""

    ids: Tensor
    mask: Tensor
    words: Tensor


class TextFeatures(NamedTuple):
    """What the text tower gives.

    Attributes:
        pooled: Mean over the tokens, (N, D).
        tokens: Sum of the last layers that the options name, (N, T, D).
        mask: 1 where there is a token, (N, T).
        words: Word that each token is a piece of, as in :class:`TokenRow`, (N, T).
    """

    pooled: Tensor
    tokens: Tensor
    mask: Tensor
    words: Tensor


@dataclass(frozen=True)
class LoadReport:
    """Which tensors of a weights file went where; nothing is left out silently.

    Attributes:
        source: The file or asset.
        matched: Number of tensors taken over.
        left_out: Tensors of the file that the tower has no use for (its classifier).
    """

    source: str
    matched: int
    left_out: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        rest = f"; left out: {', '.join(self.left_out)}" if self.left_out else ""
        return f"{self.source}: {self.matched} tensors taken over{rest}"


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
            extra = {"dynamic_img_size": True} if config and config.fixed_input_size else {}
            self.backbone: Any = timm.create_model(name, pretrained=False, num_classes=0, **extra)
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


class TextEncoder(nn.Module):
    """A transformers encoder and its tokenizer; the global feature is the mean over tokens."""

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        frozen_layers: int,
        max_tokens: int,
        last_layers: int = 1,  # what checkpoints from before it could be chosen did
    ) -> None:
        super().__init__()
        # Heads beyond the last layer would never get a gradient.
        if getattr(network, "pooler", None) is not None:
            network.pooler = None
        self.network = network
        self.tokenizer = tokenizer
        self.frozen_layers = frozen_layers
        self.max_tokens = max_tokens
        self.last_layers = last_layers
        self.channels = int(network.config.hidden_size)
        freeze_first(network, frozen_layers)

    def forward(self, tokens: Tokens) -> TextFeatures:
        """Read tokenised texts."""
        found = self.network(
            input_ids=tokens.ids,
            attention_mask=tokens.mask,
            output_hidden_states=self.last_layers > 1,
        )
        states = found.last_hidden_state
        if self.last_layers > 1:
            states = torch.stack(found.hidden_states[-self.last_layers :]).sum(0)
        weights = tokens.mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
        return TextFeatures(pooled, states, tokens.mask, tokens.words)

    def tokenise(self, text: str) -> TokenRow:
        """Tokens of one text with its special tokens, cut to ``max_tokens``."""
        encoded = self.tokenizer(text, truncation=True, max_length=self.max_tokens)
        of = [-1 if word is None else word + 1 for word in encoded.word_ids()]
        if of and of[0] == -1:
            of[0] = 0
        return TokenRow(tuple(int(token) for token in encoded["input_ids"]), tuple(of))

    def collate(self, rows: Sequence[TokenRow]) -> Tokens:
        """Pad token rows to the longest of them."""
        longest = max(len(row.ids) for row in rows)

        def padded(values: Iterable[Sequence[int]], filler: int) -> Tensor:
            return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in values])

        return Tokens(
            padded((row.ids for row in rows), self.tokenizer.pad_token_id),
            padded(([1] * len(row.ids) for row in rows), 0),
            padded((row.words for row in rows), -1),
        )


def build_image_encoder(options: ImageEncoderOptions) -> tuple[ImageEncoder, LoadReport]:
    """Make the image tower and fill in its starting weights.

    Raises:
        SyncxrError: Unknown name, or weights that do not fill every tensor of the tower.
    """
    encoder = ImageEncoder(options.name)
    if not options.weights:
        return encoder, LoadReport("random start", 0)
    tensors = _image_weights(options)
    return encoder, _fill(encoder.backbone, tensors, f"{options.name} from {options.weights}")


def build_text_encoder(options: TextEncoderOptions) -> tuple[TextEncoder, LoadReport]:
    """Make the text tower from an asset, a folder or the hub.

    Raises:
        SyncxrError: The model cannot be loaded, or some of its tensors have no weights.
    """
    where = str(fetch(options.model)) if options.model in ASSETS else options.model
    transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, revision=options.revision)
        network, info = transformers.AutoModel.from_pretrained(
            where, revision=options.revision, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise SyncxrError(f"text encoder {options.model!r} cannot be loaded: {first}") from error
    missing = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
    if missing or info["mismatched_keys"]:
        raise SyncxrError(
            f"text encoder {options.model!r}: no weights for {', '.join(missing[:4]) or 'some'}; "
            "the files belong to another model"
        )
    frozen = options.frozen_layers
    if frozen is None:
        frozen = network.config.num_hidden_layers // 2
    if options.last_layers > network.config.num_hidden_layers:
        raise SyncxrError(
            f"text encoder {options.model!r} has {network.config.num_hidden_layers} layers; "
            f"last_layers is {options.last_layers}"
        )
    encoder = TextEncoder(network, tokenizer, frozen, options.max_tokens, options.last_layers)
    unused = tuple(sorted(info["unexpected_keys"]))
    report = LoadReport(options.model, len(encoder.network.state_dict()), unused)
    return encoder.train(), report


def freeze_first(network: nn.Module, layers: int) -> None:
    """Freeze the embeddings and the first ``layers`` layers of a transformers encoder.

    Raises:
        SyncxrError: The network has fewer layers, or none that can be told apart.
    """
    stacks = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    stack = max(stacks, key=len, default=nn.ModuleList())
    if layers > len(stack):
        raise SyncxrError(f"the text encoder has {len(stack)} layers; frozen_layers is {layers}")
    if layers == 0:
        return
    for part in (getattr(network, "embeddings", nn.Identity()), *stack[:layers]):
        part.requires_grad_(False)


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


def _fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> LoadReport:
    """Copy ``tensors`` into ``network``; every tensor of the network must get its own."""
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in tensors]
    wrong = [k for k in wanted if k in tensors and tensors[k].shape != wanted[k].shape]
    if missing or wrong:
        raise SyncxrError(
            f"weights of {source} do not fit: {len(missing)} tensors missing, {len(wrong)} of "
            f"another shape, the first {(missing + wrong)[0]}; name the model they belong to"
        )
    network.load_state_dict({key: tensors[key] for key in wanted})
    return LoadReport(source, len(wanted), tuple(sorted(set(tensors) - set(wanted))))


_LITE0_STAGES = (1, 2, 2, 3, 3, 4, 1)
_LITE0_OUTER = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_LITE0_FIRST = {"depthwise_conv": "conv_dw", "bn1": "bn1", "project_conv": "conv_pw", "bn2": "bn2"}
_LITE0_BLOCK = {
    "expand_conv": "conv_pw",
    "bn0": "bn1",
    "depthwise_conv": "conv_dw",
    "bn1": "bn2",
    "project_conv": "conv_pwl",
    "bn2": "bn3",
}


def lite0_name(key: str) -> str:
    """Timm's name of a tensor of the efficientnet-lite0 asset.

    The asset counts its 16 blocks through, timm by stage (1, 2, 2, 3, 3, 4, 1 blocks); the first
    block has no expansion, so its parts are named differently.
    """
    block = re.fullmatch(r"_blocks\.(\d+)\._(\w+)\.(\w+)", key)
    if block is None:
        head, _, rest = key.partition(".")
        return f"{_LITE0_OUTER[head]}.{rest}"
    number = int(block[1])
    parts = _LITE0_BLOCK if number else _LITE0_FIRST
    places = [(stage, i) for stage, count in enumerate(_LITE0_STAGES) for i in range(count)]
    stage, within = places[number]
    return f"blocks.{stage}.{within}.{parts[block[2]]}.{block[3]}"
