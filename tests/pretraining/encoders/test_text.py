"""The text tower: any transformers encoder, or a small one from scratch."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from pydantic import ValidationError

from syncxr.errors import SyncxrError
from syncxr.pretraining.encoders.text import build_text_encoder
from syncxr.pretraining.options import ScratchText, TextEncoderOptions


def test_half_of_the_text_layers_are_frozen() -> None:
    encoder, report = build_text_encoder(TextEncoderOptions())
    assert len(report.matched) > 90 and report.random == ()
    layers = encoder.network.encoder.layer
    frozen = [not any(p.requires_grad for p in layer.parameters()) for layer in layers]
    assert frozen == [True, True, True, False, False, False]
    assert not any(p.requires_grad for p in encoder.network.embeddings.parameters())


def test_padding_never_changes_a_text(tiny_text: Path) -> None:
    encoder, _ = build_text_encoder(TextEncoderOptions(model=str(tiny_text)))
    encoder.eval()
    short, long = encoder.tokenise("no nodule."), encoder.tokenise("there is a right bright patch.")
    alone = encoder(encoder.collate([short])).pooled
    padded = encoder(encoder.collate([short, long])).pooled[:1]
    assert len(short.ids) < len(long.ids)
    assert torch.allclose(alone, padded, atol=1e-5)


def test_texts_in_groups_are_read_as_each_alone(tiny_text: Path) -> None:
    words = ["no", "there", "is", "a", "right", "left", "bright", "patch", "nodule", "."]
    words += ["the", "film", "shows", "clear"]
    options = TextEncoderOptions(model=str(tiny_text), last_layers=2, frozen_layers=0)
    encoder = build_text_encoder(options)[0].double().eval()
    rows = [encoder.tokenise(" ".join(words[: 1 + 5 * i % 13])) for i in range(40)]
    together = encoder(encoder.collate(rows))
    for i, row in enumerate(rows):
        alone = encoder(encoder.collate([row]))
        assert torch.allclose(together.pooled[i], alone.pooled[0], atol=1e-12)
        length = len(row.ids)
        assert torch.allclose(together.tokens[i, :length], alone.tokens[0], atol=1e-12)


def test_too_many_frozen_layers(tiny_text: Path) -> None:
    with pytest.raises(SyncxrError, match="has 2 layers"):
        build_text_encoder(TextEncoderOptions(model=str(tiny_text), frozen_layers=3))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="cannot be loaded"):
        build_text_encoder(TextEncoderOptions(model=str(tmp_path)))


def test_another_kind_of_encoder_from_a_folder(tmp_path: Path, tiny_text: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_text)
    tokenizer.save_pretrained(tmp_path)
    config = transformers.DistilBertConfig(
        vocab_size=len(tokenizer), dim=16, n_layers=2, n_heads=2, hidden_dim=32
    )
    made = transformers.DistilBertModel(config)
    made.save_pretrained(tmp_path)
    encoder, report = build_text_encoder(TextEncoderOptions(model=str(tmp_path), last_layers=2))
    assert set(report.matched) == set(made.state_dict())
    tokens = encoder.collate([encoder.tokenise("clear"), encoder.tokenise("no left nodule .")])
    states = made.eval()(tokens.ids, tokens.mask, output_hidden_states=True).hidden_states
    assert torch.allclose(encoder.eval()(tokens).tokens, states[-1] + states[-2], atol=1e-6)


def test_partial_weights_are_taken_where_asked_and_what_is_not_covered_is_named(
    tmp_path: Path, tiny_text: Path
) -> None:
    folder = tmp_path / "deeper"
    shutil.copytree(tiny_text, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    options = TextEncoderOptions(model=str(folder), frozen_layers=0)
    with pytest.raises(SyncxrError, match="do not fit"):
        build_text_encoder(options)
    encoder, report = build_text_encoder(options.model_copy(update={"partial": True}))
    third = {n for n in encoder.network.state_dict() if n.startswith("encoder.layer.2.")}
    assert set(report.random) == third and len(third) == 16
    assert all(name in str(report) for name in third)
    whole = transformers.AutoModel.from_pretrained(tiny_text).state_dict()
    for name in report.matched:
        assert torch.equal(encoder.network.state_dict()[name], whole[name])


def test_from_scratch_everything_starts_at_random_and_trains() -> None:
    sizes = ScratchText(layers=2, width=24, heads=3)
    options = TextEncoderOptions(scratch=sizes, max_tokens=16, last_layers=2)
    torch.manual_seed(0)
    encoder, report = build_text_encoder(options)
    assert report.matched == () and "random start" in str(report)
    assert encoder.channels == 24
    assert encoder.network.config.num_hidden_layers == 2
    # The shipped tokenizer, cut to the length that the network has places for.
    long = encoder.tokenise("pneumothorax " * 40)
    assert len(long.ids) == 16
    encoder(encoder.collate([long, encoder.tokenise("clear")])).pooled.square().sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())
    again = build_text_encoder(options)[0]
    assert not torch.equal(
        again.network.embeddings.word_embeddings.weight,
        encoder.network.embeddings.word_embeddings.weight,
    )


@pytest.mark.parametrize("wrong", [{"frozen_layers": 1}, {"partial": True}])
def test_from_scratch_nothing_is_frozen_or_fitted(wrong: dict) -> None:
    with pytest.raises(ValidationError, match="no weights"):
        TextEncoderOptions(scratch=ScratchText(), **wrong)
    with pytest.raises(ValidationError, match="no multiple"):
        ScratchText(width=10, heads=3)


def test_half_precision_stays_near_single(tiny_text: Path) -> None:
    encoder = build_text_encoder(TextEncoderOptions(model=str(tiny_text), last_layers=2))[0].eval()
    tokens = encoder.collate([encoder.tokenise("clear"), encoder.tokenise("no left nodule .")])
    exact = encoder(tokens).pooled
    with torch.autocast("cpu", torch.bfloat16):
        half = encoder(tokens).pooled
    assert (half.float() - exact).norm() < 0.05 * exact.norm()
