"""The text tower: any transformers encoder with its tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.nn.functional import pad

from syncxr.assets import ASSETS, fetch
from syncxr.errors import SyncxrError
from syncxr.pretraining.encoders.features import TextFeatures, TokenRow, Tokens
from syncxr.pretraining.encoders.loading import LoadReport, check
from syncxr.pretraining.options import ScratchText, TextEncoderOptions

_TEXTS_AT_ONCE = 16
"""Texts of like length that a CPU reads together."""


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
        states = self._states(tokens)
        weights = tokens.mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
        return TextFeatures(pooled, states, tokens.mask, tokens.words)

    def _states(self, tokens: Tokens) -> Tensor:
        """Summed states of the last layers, (N, T, D); what they are at padding means nothing.

        A CPU reads texts of like length together, each group cut to its longest text; a GPU, which
        would wait for the lengths, reads all at once.
        """
        if tokens.ids.device.type != "cpu" or len(tokens.ids) <= _TEXTS_AT_ONCE:
            return self._run(tokens.ids, tokens.mask)
        lengths = tokens.mask.sum(1)
        order, longest = lengths.argsort(stable=True), tokens.ids.shape[1]
        groups = []
        for rows in torch.split(order, _TEXTS_AT_ONCE):
            cut = int(lengths[rows].max())
            states = self._run(tokens.ids[rows, :cut], tokens.mask[rows, :cut])
            groups.append(pad(states, (0, 0, 0, longest - cut)))
        return torch.cat(groups)[order.argsort()]

    def _run(self, ids: Tensor, mask: Tensor) -> Tensor:
        found = self.network(
            input_ids=ids, attention_mask=mask, output_hidden_states=self.last_layers > 1
        )
        if self.last_layers == 1:
            last: Tensor = found.last_hidden_state
            return last
        return torch.stack(found.hidden_states[-self.last_layers :]).sum(0)

    def tokens(self, texts: Sequence[str], device: torch.device) -> Tokens:
        """Texts as a batch, on a device."""
        batch = self.collate([self.tokenise(text) for text in texts])
        return Tokens(*(part.to(device) for part in batch))

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


def build_text_encoder(options: TextEncoderOptions) -> tuple[TextEncoder, LoadReport]:
    """Make the text tower from an asset, a folder or the hub, or from scratch.

    Raises:
        SyncxrError: The model cannot be loaded, or some of its tensors have no weights.
    """
    where = str(fetch(options.model)) if options.model in ASSETS else options.model
    transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, revision=options.revision)
        if options.scratch:
            network = _from_scratch(options.scratch, options.max_tokens, tokenizer)
            report = LoadReport(f"random start with the tokenizer of {options.model}")
        else:
            network, report = _pretrained(where, options)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise SyncxrError(f"text encoder {options.model!r} cannot be loaded: {first}") from error
    layers = int(network.config.num_hidden_layers)
    if options.last_layers > layers:
        raise SyncxrError(
            f"text encoder {options.model!r} has {layers} layers; "
            f"last_layers is {options.last_layers}"
        )
    frozen = options.frozen_layers
    if frozen is None:
        frozen = 0 if options.scratch else layers // 2
    encoder = TextEncoder(network, tokenizer, frozen, options.max_tokens, options.last_layers)
    return encoder.train(), report


def _pretrained(where: str, options: TextEncoderOptions) -> tuple[Any, LoadReport]:
    """The network with its weights; a pooler, which is not used, may lack them."""
    network, info = transformers.AutoModel.from_pretrained(
        where,
        revision=options.revision,
        output_loading_info=True,
        ignore_mismatched_sizes=options.partial,
    )
    wrong = {entry[0] if isinstance(entry, tuple) else entry for entry in info["mismatched_keys"]}
    lacking = {key for key in info["missing_keys"] if not key.startswith("pooler.")} | wrong
    named = [key for key in network.state_dict() if not key.startswith("pooler.")]
    report = LoadReport(
        options.model,
        matched=tuple(key for key in named if key not in lacking),
        left_out=tuple(sorted(info["unexpected_keys"])),
        random=tuple(sorted(lacking)),
    )
    check(report, options.partial)
    return network, report


def _from_scratch(sizes: ScratchText, max_tokens: int, tokenizer: Any) -> Any:
    """A BERT at a random start for the words of ``tokenizer``."""
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=4 * sizes.width,
        max_position_embeddings=max_tokens,
        pad_token_id=tokenizer.pad_token_id,
    )
    return transformers.BertModel(config, add_pooling_layer=False)


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
