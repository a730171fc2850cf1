"""What onnxruntime says is what torch says, for any number of films and texts of any length."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tiny_dual_encoder import tiny_dual_encoder
from tokenizers import Tokenizer

from syncxr.pretraining.export.onnx import BAR, FILM, TEXT, export

TEXTS = ["no nodule", "there is a small left pleural effusion . the lung is large", "findings"]


@pytest.mark.slow  # torch traces both towers
def test_vectors_are_the_models(tmp_path: Path) -> None:
    model = tiny_dual_encoder("gloria", last_layers=2, seed=5)
    found = export(model, tmp_path)
    about = json.loads((tmp_path / "export.json").read_text())
    assert found == about["greatest_difference"] <= BAR
    film, text = (onnxruntime.InferenceSession(tmp_path / name) for name in (FILM, TEXT))
    for count in (1, 5):
        films = np.random.default_rng(count).integers(0, 256, (count, 32, 32), np.uint8)
        (vectors,) = film.run(None, {"films": films[:, None].astype(np.float32) / 255})
        np.testing.assert_allclose(vectors, model.encode_image(list(films)), atol=BAR)
    # As a program without transformers would do it.
    tokenizer = Tokenizer.from_file(str(tmp_path / about[TEXT]["tokenizer"]))
    tokenizer.enable_padding(pad_id=about[TEXT]["pad_token_id"])
    tokenizer.enable_truncation(about[TEXT]["max_tokens"])
    for texts in (TEXTS[:1], TEXTS, ["no nodule " * 40]):
        read = tokenizer.encode_batch(texts)
        given = {
            "input_ids": np.array([row.ids for row in read]),
            "attention_mask": np.array([row.attention_mask for row in read]),
        }
        (vectors,) = text.run(None, given)
        np.testing.assert_allclose(vectors, model.encode_text(texts), atol=BAR)
    assert about["scale"] == 10 and "word-by-word" in about["left_out"]
    assert about[FILM]["size"] == 32 and about[FILM]["equalise"] is False
