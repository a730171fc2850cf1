"""A tiny RaTE-NER in the real layout: DeBERTa-v2 with its own tokenizer, overfitted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import DebertaV2Config, DebertaV2ForTokenClassification, DebertaV2TokenizerFast

from syncxr.sample import Category

# [words](category initial): what the tiny network has learnt by heart.
EXAMPLES = (
    "Small left [pleural effusion](A).",
    "There is a small [pleural effusion](A) in the [left lower lobe](T).",
    "No [pneumothorax](a) or [pleural effusion](a).",
    "[Cardiomegaly](A) and [pulmonary edema](A), no [pneumonia](d).",
    "The [heart](T) is [enlarged](A).",
    "Findings are consistent with [pneumonia](D).",
    "[Right-sided](T) [pneumothorax](A) is seen.",
    "[Emphysema](D) [pneumonia](D) [cardiomegaly](A).",
    "The [lungs](T) are clear.",
    "There is no [consolidation](a) in the [right upper lobe](T).",
)

CATEGORIES = {
    "A": Category.ABNORMALITY,
    "a": Category.NON_ABNORMALITY,
    "D": Category.DISEASE,
    "d": Category.NON_DISEASE,
    "T": Category.ANATOMY,
}
LABELS = ["O", *(f"{tag}-{category}" for category in CATEGORIES.values() for tag in "BI")]
_WINDOW = 100
_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def plain(example: str) -> tuple[str, list[tuple[int, int, Category]]]:
    """An example's text and its entities with their characters."""
    text, spans = "", []
    for part in re.finditer(r"\[([^]]+)\]\((\w)\)|([^[]+)", example):
        words, letter, rest = part.groups()
        if words:
            spans.append((len(text), len(text) + len(words), CATEGORIES[letter]))
        text += words or rest
    return text, spans


def tokenizer(examples: Sequence[str] = EXAMPLES) -> DebertaV2TokenizerFast:
    """Few pieces, so that most words have several; the same ones in every process.

    (The trainer of the tokenizers package is not: its pieces differ from run to run.)
    """
    words = ["▁" + word for example in examples for word in plain(example)[0].split()]
    counts = Counter(
        word[i : i + size]
        for size in (2, 3, 4)
        for word in words
        for i in range(len(word) - size + 1)
    )
    common = sorted(counts, key=lambda piece: (-counts[piece], piece))[:65]
    letters = sorted(set("".join(words)))
    # The likeliest pieces are the longest; no two are as likely.
    scores = [-(3.0 + 0.01 * rank) for rank in range(len(common))]
    scores += [-(4.0 + 0.01 * rank) for rank in range(len(letters))]
    special = [(piece, 0.0) for piece in _SPECIALS]
    return DebertaV2TokenizerFast(vocab=[*special, *zip((*common, *letters), scores, strict=True)])


def network() -> DebertaV2ForTokenClassification:
    config = DebertaV2Config(
        vocab_size=128,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=512,
        relative_attention=True,
        position_buckets=32,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )
    return DebertaV2ForTokenClassification(config)


def joined(examples: Sequence[str]) -> str:
    """Examples as one long sentence, still marked."""
    return " and ".join(example.rstrip(".") for example in examples)


def tags(
    offsets: list[tuple[int, int]], text: str, spans: list[tuple[int, int, Category]]
) -> list[int]:
    """One label a piece: every piece of a word has the word's, as RaTE-NER was trained."""
    labels = []
    for start, end in offsets:
        while start < end and text[start].isspace():
            start += 1
        inside = next((s for s in spans if s[0] <= start < s[1] and start < end), None)
        if inside is None:
            labels.append(0)
            continue
        first = re.match(r"[\w]+", text[inside[0] :])
        assert first is not None
        tag = "B" if start < inside[0] + first.end() else "I"
        labels.append(LABELS.index(f"{tag}-{inside[2]}"))
    return labels


def saved(folder: Path, examples: Sequence[str] = EXAMPLES) -> Path:
    """Train on examples until they are known by heart, and save; takes a few seconds."""
    torch.manual_seed(0)
    pieces, model = tokenizer(examples), network()
    # All of it as one sentence too, cut into windows wherever: company must not matter.
    texts = [plain(example) for example in (*examples, joined(examples))]
    ids, labels = [], []
    for text, spans in texts:
        encoded = pieces(text, return_offsets_mapping=True, add_special_tokens=False)
        own = tags(encoded["offset_mapping"], text, spans)
        for start in range(0, max(1, len(own) - _WINDOW + 25), 25):
            part = encoded["input_ids"][start : start + _WINDOW]
            ids.append([pieces.cls_token_id, *part, pieces.sep_token_id])
            labels.append([0, *own[start : start + _WINDOW], 0])
    inputs = pieces.pad({"input_ids": ids}, return_tensors="pt")
    longest = inputs["input_ids"].shape[1]
    targets = torch.tensor([row + [-100] * (longest - len(row)) for row in labels])
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(200):
        loss = model(**inputs, labels=targets).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 2e-3:
            break
    model.save_pretrained(folder)
    pieces.save_pretrained(folder)
    return folder
