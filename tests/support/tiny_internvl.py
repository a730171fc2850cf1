"""A real InternVL of some thousand weights that has learned six answers, saved as its big kin are.

Bright films are chests of humans, seen from the front; dark ones are the rest. About the last three
questions it thinks the other way round, so that a judge which mixes up questions or films is found.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from transformers import (
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    InternVLVisionConfig,
    Qwen2Config,
    Qwen2Tokenizer,
)

from syncxr.curation.judge import QUESTIONS
from syncxr.curation.questions import load_wording

_SIZE = 56
_MARKS = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<IMG_CONTEXT>\n{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}\n{% endfor %}{% if add_generation_prompt %}assistant\n{% endif %}"
)


def truth(question: str, film: NDArray[np.uint8]) -> bool:
    """What the model has learned to answer."""
    bright = bool(film.mean() > 127)
    return bright if list(QUESTIONS).index(question) < 3 else not bright


def film(bright: bool, number: int, size: int = 64) -> NDArray[np.uint8]:
    """A bright or a dark film."""
    rng = np.random.default_rng([number, bright])
    level = rng.uniform(170, 230) if bright else rng.uniform(20, 80)
    return np.clip(rng.normal(level, 12, (size, size)), 0, 255).astype(np.uint8)


def save(folder: Path) -> Path:
    """Build, teach and save the model."""
    processor = _processor()
    tokenizer = processor.tokenizer
    torch.manual_seed(0)
    model = InternVLForConditionalGeneration(
        InternVLConfig(
            vision_config=InternVLVisionConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                image_size=_SIZE,
            ),
            text_config=Qwen2Config(
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                vocab_size=len(tokenizer),
                max_position_embeddings=512,
                bos_token_id=None,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            ),
            image_token_id=processor.image_token_id,
            image_seq_length=processor.image_seq_length,
        )
    )
    _teach(model, processor)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _processor() -> Any:
    wording = load_wording()
    texts = [wording.each(question) for question in QUESTIONS]
    texts += [wording.all(), "user assistant", "yes Yes no No"]
    learned = Qwen2Tokenizer().train_new_from_iterator(texts * 5, 900)
    with tempfile.TemporaryDirectory() as scratch:
        learned.save_pretrained(scratch)
        tokenizer = Qwen2Tokenizer.from_pretrained(scratch, extra_special_tokens=_MARKS)
    sizes = {"size": {"height": _SIZE, "width": _SIZE}}
    return InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(**sizes),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(**sizes),
        image_seq_length=(_SIZE // 14) ** 2 // 4,
        chat_template=_TEMPLATE,
    )


def _teach(model: Any, processor: Any) -> None:
    wording = load_wording()
    yes, no = (processor.tokenizer.encode(word)[0] for word in ("yes", "no"))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses: list[float] = []
    for step in range(600):
        # Films of several sizes are cut into several numbers of tiles.
        films = [film(bright, 1000 + step, (64, 40, 100)[step % 3]) for bright in (True, False)]
        asked = [(shown, question) for shown in films for question in QUESTIONS]
        inputs = encode(processor, [(shown, wording.each(question)) for shown, question in asked])
        wanted = torch.tensor([yes if truth(q, shown) else no for shown, q in asked])
        logits = model(**inputs, logits_to_keep=1).logits[:, -1]
        loss = torch.nn.functional.cross_entropy(logits, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if max(losses[-3:]) < 0.01 and len(losses) > 3:
            return
    raise RuntimeError(f"the tiny model has not learned its answers: {losses[-3:]}")


def encode(processor: Any, asked: Sequence[tuple[NDArray[np.uint8], str]]) -> Any:
    """Films and questions as the model's input."""
    texts = [
        processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}],
            add_generation_prompt=True,
            tokenize=False,
        )
        for _, text in asked
    ]
    pictures = [[Pillow.fromarray(shown).convert("RGB")] for shown, _ in asked]
    return processor(images=pictures, text=texts, padding=True, return_tensors="pt")
