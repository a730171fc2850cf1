"""The image tower: what is loaded is what is run, and nothing is left out in silence."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from syncxr.assets import fetch
from syncxr.errors import SyncxrError
from syncxr.pretraining.encoders.image import ImageEncoder, build_image_encoder
from syncxr.pretraining.encoders.lite0 import lite0_name
from syncxr.pretraining.options import LITE0, ImageEncoderOptions


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
    assert report.matched == tuple(encoder.backbone.state_dict())
    assert report.random == ()
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


def test_resnet50_gives_layer_3_as_local_features() -> None:
    encoder = ImageEncoder("resnet50").eval()
    maps: list[torch.Tensor] = []
    encoder.backbone.layer3.register_forward_hook(lambda *given: maps.append(given[2]))
    # At the 299 px of GLoRIA this is its map of 19 × 19 places.
    features = encoder(torch.rand(1, 1, 299, 299))
    assert torch.equal(features.local, maps[0])
    assert features.local.shape == (1, 1024, 19, 19)
    assert (encoder.channels, encoder.local_channels) == (2048, 1024)


def test_half_precision_stays_near_single() -> None:
    encoder = build_image_encoder(ImageEncoderOptions())[0].eval()
    films = torch.rand(2, 1, 64, 64, generator=torch.manual_seed(0))
    exact = encoder(films).pooled
    with torch.autocast("cpu", torch.bfloat16):
        half = encoder(films).pooled
    # Eight bits of mantissa, through fifty layers.
    assert (half.float() - exact).norm() < 0.15 * exact.norm()


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


def test_partial_weights_are_taken_where_asked_and_what_is_not_covered_is_named(
    tmp_path: Path,
) -> None:
    file = tmp_path / "w.safetensors"
    whole = timm.create_model("test_efficientnet", pretrained=False).state_dict()
    lost, wide = "conv_head.weight", "conv_stem.weight"
    some = {key: value for key, value in whole.items() if key != lost}
    some[wide] = torch.zeros(1, 2)
    save_file({**some, "projector.weight": torch.ones(1)}, file)
    options = ImageEncoderOptions(name="test_efficientnet", weights=str(file))
    with pytest.raises(SyncxrError, match="2 of .* tensors are missing .* or set partial"):
        build_image_encoder(options)
    encoder, report = build_image_encoder(options.model_copy(update={"partial": True}))
    assert set(report.random) == {lost, wide}
    assert set(report.matched) | {lost, wide} == set(encoder.backbone.state_dict())
    assert "projector.weight" in report.left_out and wide in report.left_out
    for name in (lost, wide, "projector.weight"):
        assert name in str(report)
    for name in report.matched:
        assert torch.equal(encoder.backbone.state_dict()[name], whole[name])


def test_weights_of_which_nothing_fits_are_refused_even_in_part(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({"other": torch.zeros(3)}, file)
    options = ImageEncoderOptions(name="test_efficientnet", weights=str(file), partial=True)
    with pytest.raises(SyncxrError, match="do not fit"):
        build_image_encoder(options)
