"""Towers: what is loaded is what is run, and nothing is left out in silence."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from syncxr.assets import fetch
from syncxr.errors import SyncxrError
from syncxr.pretraining.encoders.image import ImageEncoder, build_image_encoder
from syncxr.pretraining.encoders.lite0 import lite0_name
from syncxr.pretraining.encoders.text import build_text_encoder
from syncxr.pretraining.options import LITE0, ImageEncoderOptions, TextEncoderOptions


def test_every_lite0_tensor_is_used_exactly_once() -> None:
    stored = torch.load(next(fetch("efficientnet-lite0").glob("*.pth")), weights_only=True)
    names = [lite0_name(key) for key in stored]
    wanted = timm.create_model(LITE0, pretrained=False).state_dict()
    assert sorted(names) == sorted(wanted)
    assert all(stored[k].shape == wanted[lite0_name(k)].shape for k in stored)


def test_lite0_knows_what_it_was_trained_on() -> None:
    data = pytest.importorskip("skimage.data")
    stored = torch.load(next(fetch("efficientnet-lite0").glob("*.pth")), weights_only=True)
    network = timm.create_model(LITE0, pretrained=False).eval()
    network.load_state_dict({lite0_name(key): value for key, value in stored.items()})
    # ImageNet: 281 to 285 are cats, 967 is espresso.
    for picture, classes in ((data.cat(), range(281, 286)), (data.coffee(), [967])):
        pixels = torch.tensor(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
        pixels = torch.nn.functional.interpolate(pixels, (224, 224), mode="area")
        with torch.inference_mode():
            chances = network(pixels).softmax(1)[0]
        assert float(chances[list(classes)].sum()) > 0.5


def test_lite0_starts_from_the_asset() -> None:
    encoder, report = build_image_encoder(ImageEncoderOptions())
    assert report.matched == len(encoder.backbone.state_dict())
    assert report.left_out == ("classifier.bias", "classifier.weight")
    assert "classifier.weight" in str(report)


@pytest.mark.parametrize("name", ["resnet50", "test_vit", "test_efficientnet", "swin_s3_tiny_224"])
def test_any_timm_model_gives_a_map_whose_mean_is_the_global_feature(name: str) -> None:
    encoder = ImageEncoder(name).eval()
    features = encoder(torch.rand(2, 1, 96, 96))
    assert features.pooled.shape == (2, encoder.channels)
    assert features.spatial.ndim == 4
    assert torch.allclose(features.spatial.mean((2, 3)), features.pooled, atol=1e-5)


def test_grey_values_are_scaled_as_the_weights_expect() -> None:
    encoder = ImageEncoder("resnet50").eval()
    assert torch.allclose(encoder.mean.flatten(), torch.tensor([0.485, 0.456, 0.406]))
    film = torch.rand(1, 1, 64, 64)
    pixels = (film.repeat(1, 3, 1, 1) - encoder.mean) / encoder.deviation
    expected = encoder.backbone.forward_features(pixels)
    assert torch.allclose(encoder(film).spatial, expected, atol=1e-5)


def test_unknown_name() -> None:
    with pytest.raises(SyncxrError, match="resnet51"):
        build_image_encoder(ImageEncoderOptions(name="resnet51", weights=""))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({"conv_stem.weight": torch.zeros(3)}, file)
    with pytest.raises(SyncxrError, match="do not fit"):
        build_image_encoder(ImageEncoderOptions(name="test_efficientnet", weights=str(file)))
    with pytest.raises(SyncxrError, match="belong to"):
        build_image_encoder(ImageEncoderOptions(name="resnet50"))


def test_weights_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    whole = timm.create_model("test_efficientnet", pretrained=False)
    save_file(whole.state_dict(), file)
    options = ImageEncoderOptions(name="test_efficientnet", weights=str(file))
    encoder, report = build_image_encoder(options)
    assert torch.equal(encoder.backbone.conv_stem.weight, whole.conv_stem.weight)
    assert set(report.left_out) == {"classifier.weight", "classifier.bias"}


def test_a_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    torch.save(timm.create_model("test_efficientnet", pretrained=False), file)
    with pytest.raises(SyncxrError, match="more than tensors"):
        build_image_encoder(ImageEncoderOptions(name="test_efficientnet", weights=str(file)))


def test_half_of_the_text_layers_are_frozen() -> None:
    encoder, report = build_text_encoder(TextEncoderOptions())
    assert report.matched > 90
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


def test_too_many_frozen_layers(tiny_text: Path) -> None:
    with pytest.raises(SyncxrError, match="has 2 layers"):
        build_text_encoder(TextEncoderOptions(model=str(tiny_text), frozen_layers=3))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="cannot be loaded"):
        build_text_encoder(TextEncoderOptions(model=str(tmp_path)))
