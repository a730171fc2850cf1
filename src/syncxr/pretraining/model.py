"""The trained pair of encoders, as it is used afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures, Tokens
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.encoders.text import TextEncoder
from syncxr.pretraining.methods.method import Method
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.pretraining.prompt import Prompt, pair_prompt
from syncxr.pretraining.zero_shot import score_prompts, texts_of
from syncxr.sample import Image

_BATCH = 32

Pointer = Callable[[Image], Callable[[str], NDArray[np.float32]]]
"""From a film, then a phrase, to a map (H, W) in [0, 1]."""


class DualEncoder(nn.Module):
    """Film tower, text tower and the method that joins them.

    Attributes:
        image_encoder: Film tower.
        text_encoder: Text tower with its tokenizer.
        method: Projections and loss.
        preprocessing: How films are prepared.
    """

    def __init__(
        self,
        image_encoder: ImageEncoder,
        text_encoder: TextEncoder,
        method: Method,
        preprocessing: Preprocessing,
    ) -> None:
        super().__init__()
        # 1.8 times as fast on a CPU as channels first (measured: EfficientNet-Lite0, 128 px).
        self.image_encoder = image_encoder.to(memory_format=torch.channels_last)
        self.text_encoder = text_encoder
        method.connect(
            Channels(image_encoder.channels, image_encoder.local_channels, text_encoder.channels)
        )
        self.method = method
        self.preprocessing = preprocessing

    @property
    def device(self) -> torch.device:
        """Where the model is; films and texts are brought to it, results come back as arrays."""
        return next(self.parameters()).device

    def features(self, images: Tensor, tokens: Tokens) -> tuple[ImageFeatures, TextFeatures]:
        """What the towers give, at least in single precision: losses need its digits."""
        seen, said = self.image_encoder(images), self.text_encoder(tokens)
        return ImageFeatures(*map(_precise, seen)), TextFeatures(*map(_precise, said))

    def loss(self, images: Tensor, tokens: Tokens) -> Tensor:
        """Loss of one batch: films (N, 1, S, S) in [0, 1], and their texts."""
        features = self.features(images, tokens)
        with torch.autocast(images.device.type, enabled=False):
            return self.method.loss(*features)

    def forward(self, images: Tensor, tokens: Tokens) -> Tensor:
        """The same, as mixed precision and data parallelism want to be called."""
        return self.loss(images, tokens)

    @torch.inference_mode()
    def encode_image(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Unit vectors of films of any size, (N, d)."""
        parts = [self.method.embed_images(features) for features in self._look(images)]
        return torch.cat(parts).cpu().numpy()

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of texts, (M, d).

        Raises:
            TypeError: ``texts`` is one text, whose letters would be taken for texts.
        """
        _refuse_one(texts)
        starts = range(0, len(texts), _BATCH)
        parts = [self.method.embed_texts(self._read(texts[i : i + _BATCH])) for i in starts]
        return torch.cat(parts).cpu().numpy()

    def ask(self, texts: Sequence[str]) -> Callable[[ImageFeatures], Tensor]:
        """A function from what the film tower saw in n films to the logits of the texts, (n, T).

        The texts are read once, together. To be called in inference mode.
        """
        with torch.inference_mode():
            read = self._read(texts)
        return lambda seen: self.method.logits(seen, read)

    @torch.inference_mode()
    def zero_shot(
        self, images: Sequence[Image], prompts: Mapping[str, Prompt] | Sequence[str]
    ) -> NDArray[np.float64]:
        """Score of each finding without any training on labels, see :func:`score_prompts`.

        Args:
            images: N films of any size.
            prompts: Finding to prompt, or K findings, which are prompted as pairs.

        Returns:
            (N, K), columns in the order of ``prompts``: probabilities, or logits where nothing is
            denied.

        Raises:
            TypeError: ``prompts`` is one text, whose letters would be taken for findings.
        """
        _refuse_one(prompts)
        if not isinstance(prompts, Mapping):
            prompts = {finding: pair_prompt(finding) for finding in prompts}
        answer = self.ask(texts_of(prompts))
        logits = torch.cat([answer(seen) for seen in self._look(images)])
        return score_prompts(logits, prompts)

    def ground(self, image: Image, phrase: str) -> NDArray[np.float32]:
        """Where in a film a phrase is: min-max normalised map, float in [0, 1], (H, W)."""
        return self.pointer([phrase])(image)(phrase)

    def pointer(self, phrases: Sequence[str]) -> Pointer:
        """Maps of :meth:`ground` for many phrases: a function of a film, then of a phrase.

        Each phrase is read once and by itself; a film is looked at once, however much is asked.
        """
        with torch.inference_mode():
            read = {phrase: self._read([phrase]) for phrase in phrases}

        @torch.inference_mode()
        def look(image: Image) -> Callable[[str], NDArray[np.float32]]:
            seen = next(self._look([image]))
            return lambda phrase: self._map(seen, read[phrase], image.shape)

        return look

    @torch.inference_mode()
    def _map(
        self, seen: ImageFeatures, read: TextFeatures, shape: tuple[int, ...]
    ) -> NDArray[np.float32]:
        places = self.method.locate(seen, read).float().cpu()
        large = interpolate(places, shape, mode="bilinear", align_corners=False)[0, 0]
        low, high = large.min(), large.max()
        return ((large - low) / (high - low).clamp(min=1e-12)).numpy()

    def _look(self, images: Sequence[Image]) -> Iterator[ImageFeatures]:
        self.eval()
        for start in range(0, len(images), _BATCH):
            stack = self.preprocessing.stack(images[start : start + _BATCH])
            yield self.image_encoder(as_pixels(stack).to(self.device))

    def _read(self, texts: Sequence[str]) -> TextFeatures:
        self.eval()
        features: TextFeatures = self.text_encoder(self.text_encoder.tokens(texts, self.device))
        return features


def _refuse_one(texts: object) -> None:
    """A string is a sequence of strings, too."""
    if isinstance(texts, str):
        raise TypeError(f"give a list of texts, [{texts!r}], not a text by itself")


def _precise(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def as_pixels(stack: NDArray[np.uint8]) -> Tensor:
    """Films (N, S, S) as (N, 1, S, S), float in [0, 1], in the layout convolutions are fast in."""
    pixels = torch.from_numpy(stack).unsqueeze(1).float() / 255
    return pixels.contiguous(memory_format=torch.channels_last)
