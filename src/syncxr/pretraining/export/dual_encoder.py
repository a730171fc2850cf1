"""A model in the layout of transformers' ``VisionTextDualEncoderModel``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image as Pillow
from torch import Tensor, nn

from syncxr.dataset.files import write_text
from syncxr.errors import SyncxrError
from syncxr.pretraining.export import towers
from syncxr.pretraining.export.checking import TEXTS, difference, noise
from syncxr.pretraining.export.heads import Head, Heads, heads_of
from syncxr.pretraining.model import DualEncoder

BAR = 1e-5
"""Greatest difference of a coordinate of the unit vectors."""


def export(model: DualEncoder, folder: Path) -> float:
    """Write a folder that transformers opens without syncxr, and open it.

    Args:
        model: Whose vectors of whole films and texts are exported.
        folder: Is there.

    Returns:
        Greatest difference between the unit vectors of the opened folder, processor included, and
        the model's own.

    Raises:
        SyncxrError: The layout cannot hold the model.
    """
    heads = heads_of(model.method)
    with torch.random.fork_rng():
        dual = dual_encoder(model, heads)
    towers.SyncxrDualEncoderConfig.register_for_auto_class()
    towers.SyncxrDualEncoder.register_for_auto_class("AutoModel")
    dual.save_pretrained(folder)
    for weights in folder.glob("*.safetensors"):
        # safetensors gives its files to this user only.
        weights.chmod((folder / "config.json").stat().st_mode)
    processor(model).save_pretrained(folder)
    write_text(folder / "README.md", _readme(model, heads))
    return _difference(model, folder)


def dual_encoder(model: DualEncoder, heads: Heads) -> towers.SyncxrDualEncoder:
    """The same towers and projections under transformers' names, on the CPU."""
    image, text = model.image_encoder, model.text_encoder
    film = towers.SyncxrFilmConfig(
        architecture=image.name,
        model_args=image.arguments,
        hidden_size=_width(heads.image, image.channels),
        projected=heads.image.hidden is not None,
    )
    words = towers.SyncxrTextConfig(
        network=text.network.config.to_dict(),
        hidden_size=_width(heads.text, text.channels),
        last_layers=text.last_layers,
        skipped_ids=_skipped(model) if heads.words_only else [],
        projected=heads.text.hidden is not None,
    )
    projections = heads.image.projection(image.channels), heads.text.projection(text.channels)
    config = towers.SyncxrDualEncoderConfig(
        vision_config=film.to_dict(),
        text_config=words.to_dict(),
        projection_dim=len(projections[0]),
    )
    dual = towers.SyncxrDualEncoder(config)
    parts: list[tuple[nn.Module, nn.Module]] = [
        (dual.vision_model.backbone, image.backbone),
        (dual.text_model.network, text.network),
    ]
    for tower, head in ((dual.vision_model, heads.image), (dual.text_model, heads.text)):
        if head.hidden is not None:
            parts.append((tower.hidden, head.hidden))
    for mine, theirs in parts:
        mine.load_state_dict(theirs.state_dict())
    dual.load_state_dict(
        {
            **dual.state_dict(),
            "visual_projection.weight": projections[0],
            "text_projection.weight": projections[1],
            "logit_scale": torch.tensor(heads.scale).log(),
        }
    )
    dual.eval()
    return dual


def processor(model: DualEncoder) -> Any:
    """Transformers' processor that prepares films and texts as the model does.

    Equalising is none of its steps.

    Raises:
        SyncxrError: The film tower takes other than three channels.
    """
    side, image = model.preprocessing.size, model.image_encoder
    if image.mean.shape[1] != 3:
        raise SyncxrError(
            f"{image.name} takes {image.mean.shape[1]} channels; transformers' image processor "
            "gives three: export to onnx instead"
        )
    pixels = transformers.CLIPImageProcessorPil(
        size={"height": side, "width": side},
        resample=Pillow.Resampling.BILINEAR,
        do_center_crop=False,
        image_mean=image.mean.flatten().tolist(),
        image_std=image.deviation.flatten().tolist(),
    )
    tokenizer = model.text_encoder.tokenizer
    tokenizer.model_max_length = model.text_encoder.max_tokens
    return transformers.VisionTextDualEncoderProcessor(pixels, tokenizer)


def _width(head: Head, channels: int) -> int:
    """Features that the last layer gets, and the constant."""
    return 1 + (channels if head.hidden is None else head.hidden.out_features)


def _skipped(model: DualEncoder) -> list[int]:
    """Tokens that the tokenizer adds and that belong to no word."""
    row = model.text_encoder.tokenise("Clear lungs.")
    return sorted({token for token, word in zip(row.ids, row.words, strict=True) if word < 0})


@torch.inference_mode()
def _difference(model: DualEncoder, folder: Path) -> float:
    """Of films and texts as the opened folder and the model see them."""
    dual = transformers.VisionTextDualEncoderModel.from_pretrained(folder).eval()
    # The other backend resizes by torchvision, which rounds some pixels to the next grey.
    opened = transformers.VisionTextDualEncoderProcessor.from_pretrained(folder, backend="pil")
    films = noise(model)
    pictures = [Pillow.fromarray(film) for film in films]
    seen = dual.get_image_features(**opened(images=pictures, return_tensors="pt"))
    read = opened(text=list(TEXTS), return_tensors="pt", padding=True, truncation=True)
    said = dual.get_text_features(read["input_ids"], read["attention_mask"])
    theirs: list[Tensor] = [seen.pooler_output, said.pooler_output]
    return difference(model, films, *(nn.functional.normalize(t, dim=1).numpy() for t in theirs))


def _readme(model: DualEncoder, heads: Heads) -> str:
    """How to open the folder, and what is not in it."""
    left_out = [heads.note] if heads.note else []
    if model.preprocessing.equalise:
        left_out.append("histogram equalisation: films must be equalised before the processor")
    lines = [
        "# A syncxr model in transformers' dual-encoder layout",
        "",
        "```python",
        "from transformers import AutoModel, AutoProcessor",
        "",
        'model = AutoModel.from_pretrained(".", trust_remote_code=True).eval()  # towers.py',
        'processor = AutoProcessor.from_pretrained(".", backend="pil")',
        "```",
        "",
        "The features of `get_image_features` and `get_text_features` (`pooler_output`) are the "
        "model's before they are made unit vectors.",
        *(f"\nNot in this layout: {note}." for note in left_out),
    ]
    return "\n".join(lines) + "\n"
