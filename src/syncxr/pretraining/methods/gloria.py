"""GLoRIA: contrast of films and reports, whole and word by word (Huang et al., ICCV 2021)."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, arange, einsum, nn
from torch.nn.functional import cross_entropy

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures
from syncxr.pretraining.gathering import gather
from syncxr.pretraining.methods.contexts import compare_contexts
from syncxr.pretraining.methods.method import products, unit
from syncxr.pretraining.methods.words import pool_words

_LEAST_NORM = 1e-8


class GLoRIAOptions(BaseModel):
    """Settings of GLoRIA; the defaults are the authors'.

    Attributes:
        attention_sharpness: t1, of the attention over places.
        word_sharpness: t2, of the sum over words.
        local_scale: t3, of the local logits.
        global_scale: Of the cosines of whole films and texts.
        local_weight: Of the local loss against the global one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    attention_sharpness: float = Field(default=4.0, gt=0)
    word_sharpness: float = Field(default=5.0, gt=0)
    local_scale: float = Field(default=10.0, gt=0)
    global_scale: float = Field(default=10.0, gt=0)
    local_weight: float = Field(default=1.0, ge=0)


def local_similarities(
    places: Tensor, words: Tensor, exists: Tensor, options: GLoRIAOptions | None = None
) -> Tensor:
    r"""How well each film shows the words of each text (equations 3 to 6 of the paper).

    :math:`Z = \log\sum_w \exp(t_2 \cos(c_w, e_w))`, c being the context of word e in the film:
    see :func:`compare_contexts`.

    Args:
        places: Features v of a film's places, (N, P, D).
        words: Features e of a text's words, (M, W, D).
        exists: Which words there are, bool, (M, W); at least one a text. The others count for
            nothing.
        options: t1 and t2.

    Returns:
        Z of every pair, (N, M), at least single precision.
    """
    options = options or GLoRIAOptions()
    # Sums of exponentials need more digits than half precision has.
    precise = places.dtype if places.dtype == torch.float64 else torch.float32
    with torch.autocast(places.device.type, enabled=False):
        places, packed = places.to(precise), words[exists].to(precise)
        lengths = exists.sum(1).tolist()
        products, squares = compare_contexts(places, packed, lengths, options.attention_sharpness)
        norms = squares.clamp(min=_LEAST_NORM**2).sqrt() * packed.norm(dim=1).clamp(min=_LEAST_NORM)
        powers = options.word_sharpness * products / norms
        return torch.stack([torch.logsumexp(p, 1) for p in powers.split(lengths, 1)], 1)


def both_ways(logits: Tensor) -> Tensor:
    """Cross-entropy of films over texts plus that of texts over films; pair i is (i, i)."""
    own = arange(len(logits), device=logits.device)
    return cross_entropy(logits, own) + cross_entropy(logits.T, own)


class GLoRIA(nn.Module):
    """Two projections of the film into the space of the words; the words stay as they are."""

    Options = GLoRIAOptions

    def __init__(self, options: GLoRIAOptions) -> None:
        super().__init__()
        self.options = options

    def connect(self, channels: Channels) -> None:
        """Make the two projections."""
        self.global_projection = nn.Linear(channels.pooled, channels.text)
        self.local_projection = nn.Linear(channels.local, channels.text)

    def loss(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Local and global contrast, both ways each (equations 2, 7 and 8)."""
        words, exists = pool_words(texts)
        # Each process compares the films of all with its own texts; what it finds is a column a
        # text. Words of different lengths need not be exchanged so, and no work is done twice.
        places = gather(self._places(images))
        local = gather(local_similarities(places, words, exists, self.options).T).T
        whole = products(gather(self.embed_images(images)), gather(_sentences(words)))
        return self.options.local_weight * both_ways(self.options.local_scale * local) + both_ways(
            self.options.global_scale * whole
        )

    def embed_images(self, images: ImageFeatures) -> Tensor:
        """Unit vectors (N, d)."""
        return unit(self.global_projection(images.pooled))

    def embed_texts(self, texts: TextFeatures) -> Tensor:
        """Unit vectors (M, d): the mean over words."""
        return _sentences(pool_words(texts)[0])

    def logits(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Global and local logits averaged, (N, M).

        The sum over words grows with their number, which would make "no effusion" likelier than
        "effusion" whatever the film shows; so here it is their mean.
        """
        words, exists = pool_words(texts)
        local = local_similarities(self._places(images), words, exists, self.options)
        local = local - exists.sum(1).to(local.dtype).log()
        whole = products(self.embed_images(images), _sentences(words))
        return (self.options.local_scale * local + self.options.global_scale * whole) / 2

    def locate(self, images: ImageFeatures, texts: TextFeatures) -> Tensor:
        """Cosine of each place and the text as a whole, (N, M, h, w)."""
        height, width = images.local.shape[2:]
        places = unit(self._places(images))
        found = einsum("npd,md->nmp", places, self.embed_texts(texts))
        return found.reshape(*found.shape[:2], height, width)

    def _places(self, images: ImageFeatures) -> Tensor:
        """Projected features of places, (N, P, d)."""
        places: Tensor = self.local_projection(images.local.flatten(2).transpose(1, 2))
        return places


def _sentences(words: Tensor) -> Tensor:
    """Unit vectors of texts (M, d) from words (M, W, d), those that do not exist being zero."""
    return unit(words.sum(1))
