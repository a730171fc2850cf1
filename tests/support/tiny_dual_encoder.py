"""A dual encoder of the real classes with random weights, small enough to look at films in ms."""

from __future__ import annotations

from typing import Any

import torch
import transformers

from syncxr.pretraining import METHODS
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.encoders.text import TextEncoder
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.registry import BackendSpec, build

WORDS = (
    "no there is are a the of in on evidence film shows left right lower upper small large mild "
    "moderate severe nodule pneumonia pleural effusion pneumothorax lung chest . findings sign"
)


def tiny_dual_encoder(
    method: str = "convirt",
    *,
    size: int = 32,
    image: str = "test_efficientnet",
    seed: int = 0,
    equalise: bool = False,
    last_layers: int = 1,
    **options: Any,
) -> DualEncoder:
    """Towers and method at a random start, ready to use."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]
        tokenizer = transformers.BertTokenizerFast(
            vocab={word: i for i, word in enumerate(vocabulary)}, do_lower_case=True
        )
        config = transformers.BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
        network = transformers.BertModel(config)
        texts = TextEncoder(network, tokenizer, 0, max_tokens=32, last_layers=last_layers)
        made = build("method", METHODS, BackendSpec(name=method, **options))
        preprocessing = Preprocessing(size=size, equalise=equalise)
        return DualEncoder(ImageEncoder(image), texts, made, preprocessing).eval()
