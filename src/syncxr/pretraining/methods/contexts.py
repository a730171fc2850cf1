"""Words against the contexts they attend to, without building a context (GLoRIA, local loss)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d

_TEXTS_AT_ONCE = 4
"""Texts in one piece of work: fewer waste time on small products, more memory."""


def compare_contexts(
    places: Tensor, words: Tensor, lengths: Sequence[int], sharpness: float
) -> tuple[Tensor, Tensor]:
    r"""Product of each word with its context in each film, and the context's squared length.

    With :math:`s_{pw} = v_p \cdot e_w`, the attention of word w over places is
    :math:`a_{pw} = \mathrm{softmax}_p(t_1\,\mathrm{softmax}_w(s_{pw}))`, w running over the words
    of its text, and the context is :math:`c_w = \sum_p a_{pw} v_p` (equations 3 to 5 of Huang et
    al., ICCV 2021). It is never built: :math:`e_w \cdot c_w = \sum_p a_{pw} s_{pw}` and
    :math:`\lVert c_w\rVert^2 = a_w^\top G a_w` with the film's Gram matrix
    :math:`G_{pq} = v_p \cdot v_q`. What is P × D for each word and film becomes P × P.

    Texts are packed, so that nothing is spent on padding; a film's scores with all words, and as
    much again for :math:`G a`, are kept for the way back: 8 N P W bytes in single precision.

    Args:
        places: Features v of each film's places, (N, P, D).
        words: Features e of the words of all texts, one text after the other, (W, D).
        lengths: Words in each text; they add up to W.
        sharpness: t1.

    Returns:
        Products and squared lengths, (N, W) each.
    """
    places = places.contiguous()
    gram = places @ places.mT
    groups = [lengths[i : i + _TEXTS_AT_ONCE] for i in range(0, len(lengths), _TEXTS_AT_ONCE)]
    found = [
        _Contexts.apply(_scores(places, some), gram, list(group), sharpness)
        for some, group in zip(torch.split(words, [sum(g) for g in groups]), groups, strict=True)
    ]
    products, squares = (torch.cat(parts, 1) for parts in zip(*found, strict=True))
    return products, squares


def _scores(places: Tensor, words: Tensor) -> Tensor:
    """Product of every place with every word, (N, P, W).

    On a CPU each word is a 1×1 filter: the same sums, but the library behind convolutions uses
    the wide registers of every maker, the one behind matrix products those of its own (twice as
    fast, forwards and backwards, on an AMD EPYC with AVX-512; no slower elsewhere).
    """
    if places.device.type != "cpu":
        return places @ words.T
    maps = places.unsqueeze(2).permute(0, 3, 1, 2)
    return conv2d(maps, words[:, :, None, None]).permute(0, 2, 3, 1).squeeze(2)


class _Contexts(torch.autograd.Function):
    """Scores and Gram matrices to products and squared lengths.

    The way back is written out because Ga, the costly part, is the gradient of aᵀGa too (twice
    that), and because the softmaxes are cheaper made again than kept.
    """

    @staticmethod
    def forward(
        context: Any, scores: Tensor, gram: Tensor, lengths: list[int], sharpness: float
    ) -> tuple[Tensor, Tensor]:
        attention = _over_words(scores, lengths).mul_(sharpness).softmax(1)
        pulls = gram @ attention
        products = (attention * scores).sum(1)
        squares = attention.mul_(pulls).sum(1)
        context.save_for_backward(scores, pulls, products, squares)
        context.lengths, context.sharpness = lengths, sharpness
        return products, squares

    @staticmethod
    @once_differentiable
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        scores, pulls, products, squares = context.saved_tensors
        to_product, to_square = gradients
        # Σ_p a_p · dL/da_p, which the gradient of a softmax subtracts.
        mean = (to_product * products + 2 * to_square * squares).unsqueeze(1)
        to_product, to_square = to_product.unsqueeze(1), to_square.unsqueeze(1)
        over_words = _over_words(scores, context.lengths)
        attention = (context.sharpness * over_words).softmax(1)
        d_gram = attention @ (attention * to_square).mT
        inner = (scores * to_product).addcmul_(pulls, to_square, value=2).sub_(mean)
        inner.mul_(attention).mul_(over_words)  # over_words * dL/d(over_words) / t1
        d_scores = attention.mul_(to_product).add_(inner, alpha=context.sharpness)
        # The mean that the gradient of the softmax over a text's words subtracts.
        texts = (torch.split(each, context.lengths, 2) for each in (d_scores, over_words, inner))
        for d_score, share, part in zip(*texts, strict=True):
            d_score.addcmul_(share, part.sum(2, keepdim=True), value=-context.sharpness)
        return d_scores, d_gram, None, None


def _over_words(scores: Tensor, lengths: list[int]) -> Tensor:
    """Softmax over the words of each text."""
    return torch.cat([score.softmax(2) for score in torch.split(scores, lengths, 2)], 2)
