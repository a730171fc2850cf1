"""Vectors of short texts by any sentence encoder, and how alike two texts are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from syncxr.entities.pretrained import TextNetwork
from syncxr.models import ModelOptions

Pooling = Literal["auto", "mean", "cls"]

Vectors = NDArray[np.float32]
"""One row a text, (N, D), of length 1."""


class SentenceEncoder:
    """A sentence encoder.

    Args:
        options: Which; MiniLM, BioLORD and other sentence-transformers, MedCPT, any BERT.
        pooling: Mean of the tokens, or the first one's vector; ``"auto"`` does as the model's own
            ``1_Pooling/config.json`` says (the layout of sentence-transformers), else the mean.
            MedCPT, which has none, was trained with ``"cls"``.

    Raises:
        SyncxrError: The model is not there or is damaged.
    """

    def __init__(self, options: ModelOptions, pooling: Pooling = "auto") -> None:
        self._network = TextNetwork("AutoModel", options, "matching")
        self._first = (_named_pooling(options) if pooling == "auto" else pooling) == "cls"
        self._known: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of some texts; each text goes through the network once a process."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            encoded = self._network.tokenizer(
                new, truncation=True, max_length=self._network.longest
            )["input_ids"]
            for number, row in self._network.run(encoded, self._pool):
                self._known[new[number]] = torch.nn.functional.normalize(row.float(), dim=0).numpy()
        return np.stack([self._known[text] for text in texts])

    def _pool(self, output: Any, mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = output.last_hidden_state
        if self._first:
            return states[:, 0]
        weights = mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1)


def _named_pooling(options: ModelOptions) -> str:
    from transformers.utils import cached_file

    place = {} if options.is_folder else {"revision": options.revision}
    path = cached_file(
        options.model,
        "1_Pooling/config.json",
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
        **place,
    )
    if path is None:
        return "mean"
    named = json.loads(Path(path).read_text("utf-8"))
    return "cls" if named.get("pooling_mode_cls_token") else "mean"
