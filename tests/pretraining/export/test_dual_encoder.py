"""What transformers opens says what the model says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from tiny_dual_encoder import tiny_dual_encoder
from torch.nn.functional import normalize
from transformers import VisionTextDualEncoderModel, VisionTextDualEncoderProcessor

from syncxr.errors import SyncxrError
from syncxr.pretraining.export.dual_encoder import BAR, export

TEXTS = ["no nodule", "there is a small left pleural effusion . the heart is large", "findings"]
MODELS: dict[str, dict[str, Any]] = {
    "convirt": {"method": "convirt"},
    "siglip": {"method": "siglip", "last_layers": 2},
    "gloria": {"method": "gloria", "last_layers": 2},
    "tokens for places": {"method": "convirt", "image": "test_vit", "size": 64},
    "tables that are not in the file": {
        "method": "gloria", "image": "swin_tiny_patch4_window7_224", "size": 224,
    },
}  # fmt: skip


@torch.inference_mode()
@pytest.mark.parametrize("name", MODELS)
def test_features_are_the_models(name: str, tmp_path: Path) -> None:
    model = tiny_dual_encoder(seed=3, **MODELS[name])
    assert export(model, tmp_path) <= BAR
    # Films of sizes and texts that the export's own check did not see.
    films = [np.random.default_rng(i).integers(0, 256, (90 + i, 131), np.uint8) for i in range(2)]
    dual = VisionTextDualEncoderModel.from_pretrained(tmp_path).eval()
    processor = VisionTextDualEncoderProcessor.from_pretrained(tmp_path, backend="pil")
    pictures = [Pillow.fromarray(film) for film in films]
    both = processor(text=TEXTS, images=pictures, return_tensors="pt", padding=True)
    found = dual(**both)
    images, texts = model.encode_image(films), model.encode_text(TEXTS)
    np.testing.assert_allclose(found.image_embeds, images, atol=BAR)
    np.testing.assert_allclose(found.text_embeds, texts, atol=BAR)
    seen = dual.get_image_features(both["pixel_values"]).pooler_output
    said = dual.get_text_features(both["input_ids"], both["attention_mask"]).pooler_output
    np.testing.assert_allclose(normalize(seen, dim=1), images, atol=BAR)
    np.testing.assert_allclose(normalize(said, dim=1), texts, atol=BAR)
    scale = {"convirt": 10, "siglip": 10, "gloria": 10}[MODELS[name]["method"]]
    np.testing.assert_allclose(found.logits_per_image, scale * images @ texts.T, atol=1e-4)


def test_texts_are_cut_where_the_model_cuts_them(tmp_path: Path) -> None:
    model = tiny_dual_encoder()
    export(model, tmp_path)
    processor = VisionTextDualEncoderProcessor.from_pretrained(tmp_path, backend="pil")
    (row,) = processor(text=["no nodule " * 40], truncation=True)["input_ids"]
    assert tuple(row) == model.text_encoder.tokenise("no nodule " * 40).ids and len(row) == 32


def test_opens_without_syncxr_and_never_as_something_else(tmp_path: Path) -> None:
    """Plain transformers refuses towers that it does not know; told of them, it opens them."""
    export(tiny_dual_encoder("gloria"), tmp_path / "model")
    program = f"""
import sys
from transformers import AutoModel, AutoProcessor, VisionTextDualEncoderModel
try:
    VisionTextDualEncoderModel.from_pretrained({str(tmp_path / "model")!r})
except ValueError as error:
    assert "syncxr-text" in str(error)
else:
    raise SystemExit("opened without its towers")
model = AutoModel.from_pretrained({str(tmp_path / "model")!r}, trust_remote_code=True)
assert isinstance(model, VisionTextDualEncoderModel)
AutoProcessor.from_pretrained({str(tmp_path / "model")!r}, backend="pil")
assert "syncxr" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PATH": ""},
    )
    assert done.returncode == 0, done.stderr


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    export(tiny_dual_encoder("gloria", equalise=True), tmp_path)
    told = (tmp_path / "README.md").read_text()
    assert "the word-by-word half of GLoRIA" in told and "films must be equalised" in told


def test_what_cannot_be_held_is_refused(tmp_path: Path) -> None:
    model = tiny_dual_encoder()
    model.method = torch.nn.Identity()  # type: ignore[assignment]
    with pytest.raises(SyncxrError, match="Identity cannot be exported"):
        export(model, tmp_path)
