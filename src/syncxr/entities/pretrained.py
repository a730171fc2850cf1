"""Third-party networks for text: a tokenizer that knows its place in the text, and the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from safetensors import SafetensorError

from syncxr.errors import SyncxrError
from syncxr.models import ModelOptions, full_batches

_SHORTEST = 16


class TextNetwork:
    """A tokenizer with its network, in evaluation mode.

    Args:
        network: Class of transformers to load with, e.g. ``"AutoModelForTokenClassification"``.
        options: Which model.
        what: What asks for it, for messages.

    Raises:
        SyncxrError: The model is not there, is damaged, or has no fast tokenizer.
    """

    def __init__(self, network: str, options: ModelOptions, what: str) -> None:
        import transformers

        options.check("config.json")
        self.options = options
        self.device = options.place()
        self.tokenizer: Any = options.load(transformers.AutoTokenizer.from_pretrained)
        if not self.tokenizer.is_fast:
            raise SyncxrError(
                f"{what}: model {options.model!r} has no fast tokenizer, which alone knows where "
                "in a text a piece stands; add its tokenizer.json"
            )
        load = getattr(transformers, network).from_pretrained
        try:
            model = options.load(load, dtype=options.precision())
        except SafetensorError as error:
            raise SyncxrError(
                f"{what}: the weights of model {options.model!r} are damaged ({error}); copy or "
                "download them again"
            ) from error
        self.model: Any = model.eval().to(self.device)

    @property
    def longest(self) -> int:
        """Tokens that the network reads at most, special ones included."""
        named = getattr(self.model.config, "max_position_embeddings", None) or 512
        # RoBERTa and its kin count positions from the padding's on.
        offset = self.model.config.model_type in ("roberta", "mpnet", "xlm-roberta", "camembert")
        return int(named) - (2 if offset else 0)

    def run(
        self, sequences: Sequence[list[int]], read: Callable[[Any, torch.Tensor], torch.Tensor]
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Bring token ids through the network, in an order of its own.

        A sequence is padded to the next power of two and goes with others of its size, in batches
        that are always full: what comes out for it depends on no other sequence.

        Args:
            sequences: Token ids with special tokens, none longer than :attr:`longest`.
            read: Makes of the network's output and the attention mask, (B, L), what is wanted of
                a batch, (B, ...).

        Yields:
            Number of a sequence and its row.
        """
        sizes: dict[int, list[int]] = {}
        for number, ids in enumerate(sequences):
            power = 1 << (len(ids) - 1).bit_length()
            sizes.setdefault(min(max(_SHORTEST, power), self.longest), []).append(number)
        for size, numbers in sorted(sizes.items(), reverse=True):
            for batch, count in full_batches(numbers, self.options.at_once()):
                padded = self.tokenizer.pad(
                    {"input_ids": [sequences[i] for i in batch]},
                    padding="max_length",
                    max_length=size,
                    return_tensors="pt",
                ).to(self.device)
                with torch.inference_mode():
                    rows = read(self.model(**padded), padded["attention_mask"]).cpu()
                yield from zip(batch[:count], rows, strict=False)
