"""Both towers of a model as ONNX files, for programs without Python or torch."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from syncxr import __version__
from syncxr.dataset.files import write_text
from syncxr.pretraining.export.checking import TEXTS, difference, noise
from syncxr.pretraining.export.dual_encoder import dual_encoder
from syncxr.pretraining.export.heads import Heads, heads_of
from syncxr.pretraining.export.towers import SyncxrDualEncoder
from syncxr.pretraining.model import DualEncoder

BAR = 1e-4
"""Greatest difference of a coordinate of the unit vectors."""

FILM, TEXT = "film.onnx", "text.onnx"


def export(model: DualEncoder, folder: Path) -> float:
    """Write ``film.onnx``, ``text.onnx``, ``tokenizer/`` and ``export.json``.

    Numbers of films and texts, and the length of texts, are free.

    Args:
        model: Whose vectors of whole films and texts are exported.
        folder: Is there.

    Returns:
        Greatest difference between the unit vectors of onnxruntime and the model's own.

    Raises:
        SyncxrError: The method cannot be taken apart.
    """
    heads = heads_of(model.method)
    with torch.random.fork_rng():
        dual = dual_encoder(model, heads)
    films, texts = torch.export.Dim("films", min=1), torch.export.Dim("texts", min=1)
    length = torch.export.Dim("tokens", min=1, max=model.text_encoder.max_tokens)
    side = model.preprocessing.size
    ids = torch.full((2, 4), model.text_encoder.tokenizer.pad_token_id)
    _write(_Films(dual, model), (torch.rand(2, 1, side, side),), [{0: films}], folder / FILM)
    axes = {0: texts, 1: length}
    _write(_Texts(dual), (ids, torch.ones_like(ids)), [axes, axes], folder / TEXT)
    model.text_encoder.tokenizer.save_pretrained(folder / "tokenizer")
    found = _difference(model, folder)
    write_text(folder / "export.json", json.dumps(_about(model, heads, found), indent=1) + "\n")
    return found


class _Films(nn.Module):
    """Films (N, 1, S, S) in [0, 1] to unit vectors (N, d)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, dual: SyncxrDualEncoder, model: DualEncoder) -> None:
        super().__init__()
        self.tower, self.projection = dual.vision_model, dual.visual_projection
        self.register_buffer("mean", model.image_encoder.mean.cpu())
        self.register_buffer("deviation", model.image_encoder.deviation.cpu())

    def forward(self, films: Tensor) -> Tensor:
        pixels = (films.expand(-1, self.mean.shape[1], -1, -1) - self.mean) / self.deviation
        return normalize(self.projection(self.tower(pixels).pooler_output), dim=1)


class _Texts(nn.Module):
    """Token numbers (N, T) and where there are any to unit vectors (N, d)."""

    def __init__(self, dual: SyncxrDualEncoder) -> None:
        super().__init__()
        self.tower, self.projection = dual.text_model, dual.text_projection

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        read = self.tower(input_ids, attention_mask)
        return normalize(self.projection(read.pooler_output), dim=1)


def _write(
    tower: nn.Module, example: tuple[Tensor, ...], axes: list[dict[int, Any]], path: Path
) -> None:
    names = ["films"] if path.name == FILM else ["input_ids", "attention_mask"]
    with warnings.catch_warnings():
        # Two inputs share their axes; torch tells so at length.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tower.eval(),
            example,
            path,
            input_names=names,
            output_names=["vectors"],
            dynamic_shapes=tuple(axes),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _difference(model: DualEncoder, folder: Path) -> float:
    """Of films and texts as onnxruntime and the model see them."""
    films = noise(model)
    stack = model.preprocessing.stack(films)[:, None].astype(np.float32) / 255
    tokens = model.text_encoder.tokens(TEXTS, model.device)
    images = _run(folder / FILM, films=stack)
    texts = _run(folder / TEXT, input_ids=tokens.ids.numpy(), attention_mask=tokens.mask.numpy())
    return difference(model, films, images, texts)


def _run(path: Path, **inputs: NDArray[Any]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found: NDArray[np.float32] = session.run(None, inputs)[0]
    return found


def _about(model: DualEncoder, heads: Heads, found: float) -> dict[str, Any]:
    """All that a program needs to feed the two files."""
    tokenizer = model.text_encoder.tokenizer
    return {
        FILM: {
            "films": "float32 (N, 1, S, S): grey values / 255; the network's normalisation is "
            "inside",
            "size": model.preprocessing.size,
            "resize": "bilinear with antialiasing as Pillow does it; the aspect is not kept",
            "equalise": model.preprocessing.equalise,
        },
        TEXT: {
            "input_ids": "int64 (N, T), padded on the right",
            "attention_mask": "int64 (N, T), 1 where there is a token",
            "tokenizer": "tokenizer/tokenizer.json",
            "max_tokens": model.text_encoder.max_tokens,
            "pad_token_id": tokenizer.pad_token_id,
        },
        "vectors": "float32 (N, d), of length 1: products are cosines",
        "scale": heads.scale,
        "left_out": heads.note,
        "greatest_difference": found,
        "code": __version__,
    }
