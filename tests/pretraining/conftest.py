"""A made-up task that can be learnt in seconds, and towers small enough to learn it with."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from syncxr.pretraining.data.options import DataOptions
from syncxr.pretraining.data.pairs import Pair, Pairs
from syncxr.pretraining.options import (
    Augmentation,
    ImageEncoderOptions,
    PretrainingOptions,
    TextEncoderOptions,
)
from syncxr.pretraining.preprocessing import Preprocessing

WORDS = "no there is a right left bright patch nodule . the film shows clear"


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a two-layer BERT with a vocabulary of a few words."""
    folder = tmp_path_factory.mktemp("tiny-bert")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    tokenizer = transformers.BertTokenizerFast(
        vocab={word: i for i, word in enumerate(vocabulary)}, do_lower_case=True
    )
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_options(tiny_text: Path) -> PretrainingOptions:
    """A run of seconds."""
    return PretrainingOptions(
        image_encoder=ImageEncoderOptions(name="test_efficientnet", weights=""),
        text_encoder=TextEncoderOptions(model=str(tiny_text), max_tokens=32),
        preprocessing=Preprocessing(size=32),
        augmentation=Augmentation(crop=0.9, rotation=3, shift=0.02, contrast=0.1, blur=0.5),
        epochs=2,
        batch_size=8,
        learning_rate=3e-3,
        data=DataOptions(validation_fraction=0.2),
        threads=1,
    )


@pytest.fixture(scope="session")
def patches() -> Pairs:
    """Films with a bright patch on the left or the right, or none, and a report that says so."""
    generator = np.random.default_rng(0)
    items = []
    for index in range(60):
        film = generator.normal(90, 8, (40, 48))
        side = ("left", "right", "")[index % 3]
        if side:
            column = 30 if side == "left" else 4
            film[10:26, column : column + 14] += 90
        text = f"There is a {side} bright patch." if side else "There is no bright patch."
        items.append(Pair(f"p{index}", film.clip(0, 255).astype(np.uint8), text, text))
    return Pairs(tuple(items), "patches")
