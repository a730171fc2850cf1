"""Words against the contexts they attend to, without building a context (GLoRIA, local loss)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d


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
    scores = _scores(places.contiguous(), words)
    products, squares = _Contexts.apply(scores, places, list(lengths), sharpness)
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
    """Scores and places to products and squared lengths, a text at a time.

    The way back is written out because Ga, the costly part, is the gradient of aᵀGa too (twice
    that), and because the softmaxes are cheaper made again than kept.
    """

    @staticmethod
    def forward(
        context: Any, scores: Tensor, places: Tensor, lengths: list[int], sharpness: float
    ) -> tuple[Tensor, Tensor]:
        gram = places @ places.mT
        pulls, products, squares = [], [], []
        for score in torch.split(scores, lengths, 2):
            attention = score.softmax(2).mul_(sharpness).softmax(1)
            pulls.append(gram @ attention)
            products.append((attention * score).sum(1))
            squares.append((attention * pulls[-1]).sum(1))
        found = torch.cat(products, 1), torch.cat(squares, 1)
        context.save_for_backward(scores, places, *found, *pulls)
        context.lengths, context.sharpness = lengths, sharpness
        return found

    @staticmethod
    @once_differentiable
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        scores, places, products, squares, *pulls = context.saved_tensors
        to_product, to_square = gradients
        # Σ_p a_p · dL/da_p, which the gradient of a softmax subtracts.
        mean = to_product * products + 2 * to_square * squares
        d_scores = torch.empty_like(scores)
        d_gram = places.new_zeros(len(places), places.shape[1], places.shape[1])
        rows = (each.unsqueeze(1) for each in (to_product, to_square, mean))
        whole = (scores, d_scores, *rows)
        pieces = zip(*(torch.split(each, context.lengths, 2) for each in whole), pulls, strict=True)
        for score, d_score, product, square, middle, pull in pieces:
            over_words = score.softmax(2)
            attention = (context.sharpness * over_words).softmax(1)
            d_gram.baddbmm_(attention, (attention * square).mT)
            d_inner = (score * product).addcmul_(pull, square, value=2).sub_(middle)
            d_inner.mul_(attention).mul_(over_words)  # over_words * dL/d(over_words) / t1
            d_inner.sub_(over_words.mul_(d_inner.sum(2, keepdim=True)))
            torch.add(attention.mul_(product), d_inner, alpha=context.sharpness, out=d_score)
        d_places = torch.bmm(d_gram, places).mul_(2)
        return d_scores, d_places, None, None
