import inspect
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
import torch
from diffusers import DiffusionPipeline
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.images import RENDERERS
from syncxr.images.diffusion import DiffusionOptions, DiffusionRenderer
from syncxr.images.renderer import RenderRequest
from syncxr.registry import BackendSpec, build
from syncxr.sample import Category, Entity, Polarity

MAKERS = {
    "StableDiffusionPipeline": tiny_diffusion.stable_diffusion,
    "SanaPipeline": tiny_diffusion.sana,
    "PixArtSigmaPipeline": tiny_diffusion.pixart,
}
FINDINGS = "The heart is normal in size. Small left pleural effusion. No pneumothorax is seen."
IMPRESSION = "Small left effusion."
REQUESTS = [
    RenderRequest(FINDINGS, 2**62 + 1, IMPRESSION),
    RenderRequest("Clear lungs.", 2, "Normal chest."),
    RenderRequest(FINDINGS, 3, IMPRESSION),
]


@pytest.fixture(scope="session", params=MAKERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MAKERS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def stable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_diffusion.stable_diffusion(tmp_path_factory.mktemp("stable"))


def renderer(folder: Path, **options: Any) -> DiffusionRenderer:
    chosen = {"steps": 2, "size": 32, "device": "cpu", **options}
    return DiffusionRenderer(DiffusionOptions(model=str(folder), **chosen))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What pipelines are called with, by way of the real classes."""
    seen: list[dict[str, Any]] = []
    real = DiffusionPipeline.from_pretrained.__func__  # type: ignore[attr-defined]

    def from_pretrained(cls: Any, *args: Any, **kwargs: Any) -> Any:
        pipeline = real(cls, *args, **kwargs)
        kind = type(pipeline)

        def call(self: Any, *inner: Any, **given: Any) -> Any:
            states = [generator.initial_seed() for generator in given["generator"]]
            seen.append({**given, "seeds": states})
            return kind.__call__(self, *inner, **given)

        call.__signature__ = inspect.signature(kind.__call__)  # type: ignore[attr-defined]
        # The real pipeline with a listener before its call.
        pipeline.__class__ = type(kind.__name__, (kind,), {"__call__": call})
        return pipeline

    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", classmethod(from_pretrained))
    yield seen


def test_every_kind_of_pipeline_gives_grey_films(folder: Path) -> None:
    films = renderer(folder).render(REQUESTS)
    assert [film.image.shape for film in films] == [(32, 32)] * 3
    assert all(film.image.dtype == np.uint8 for film in films)
    assert all(film.image.std() > 1 and not film.masks for film in films)
    kind = json.loads((folder / "model_index.json").read_text())["_class_name"]
    assert films[0].parameters["pipeline"] == kind


def test_pipeline_gets_impression_first_and_the_seeds(
    folder: Path, calls: list[dict[str, Any]]
) -> None:
    films = renderer(folder, batch_size=3).render(REQUESTS)
    [call] = calls
    assert call["prompt"][0].startswith(f"{IMPRESSION} The heart is normal in size.")
    assert call["prompt"][1] == "Normal chest. Clear lungs."
    assert call["seeds"] == [2**62 + 1, 2, 3]
    assert [film.parameters["prompt"] for film in films] == call["prompt"]
    assert [film.parameters["seed"] for film in films] == call["seeds"]
    assert call["num_inference_steps"] == 2


def test_the_prompt_is_exactly_as_long_as_the_text_encoder_reads(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No token of ours is cut by the pipeline, and no sentence is left out that it would read."""
    made = renderer(folder)
    report = RenderRequest(FINDINGS * 9, 1, IMPRESSION)
    prompt = made.prompt(report)
    pipeline = made._pipeline
    read: list[torch.Tensor] = []
    encoder = pipeline.text_encoder
    encoder.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(args[0] if args else kwargs["input_ids"]),
        with_kwargs=True,
    )
    made.render([report])
    longest = max(read, key=lambda ids: int((ids != pipeline.tokenizer.pad_token_id).sum()))
    told = pipeline.tokenizer.decode(longest[-1], skip_special_tokens=True)
    end = prompt.text[-20:].lower().replace(" ", "")
    assert end in told.lower().replace(" ", "")
    limit = prompt.limits["tokenizer"]
    assert prompt.tokens["tokenizer"] <= limit < prompt.tokens["tokenizer"] + 60
    assert prompt.words_cut["findings"] > 0 == prompt.words_cut["impression"]
    expected = {"StableDiffusionPipeline": 77, "SanaPipeline": 300, "PixArtSigmaPipeline": 300}
    assert limit == expected[type(pipeline).__name__]


def test_a_film_depends_on_its_own_request_and_seed(folder: Path) -> None:
    """Alone, among others, in another order: the same bytes, with the batch size of a processor."""
    made = renderer(folder)
    together = made.render(REQUESTS)
    alone = [made.render([request])[0] for request in REQUESTS]
    turned = made.render(REQUESTS[::-1])[::-1]
    for one, two, three in zip(together, alone, turned, strict=True):
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.image, three.image)
        assert one.parameters == two.parameters
    assert (together[0].image != together[2].image).any()  # same words, other seed
    assert together[0].parameters["deterministic"]


def test_a_place_in_a_batch_changes_no_more_than_rounding(folder: Path) -> None:
    made = renderer(folder, batch_size=4)
    together = made.render(REQUESTS)
    turned = made.render(REQUESTS[::-1])[::-1]
    for one, two in zip(together, turned, strict=True):
        np.testing.assert_allclose(one.image.astype(int), two.image.astype(int), atol=1)
        assert not one.parameters["deterministic"]


def test_words_decide_the_film(stable: Path) -> None:
    other = RenderRequest("Clear lungs.", REQUESTS[0].seed, "Normal chest.")
    one, two = renderer(stable).render([REQUESTS[0], other])
    assert (one.image != two.image).any()


def test_colours_are_averaged(stable: Path, calls: list[dict[str, Any]]) -> None:
    made = renderer(stable)
    [film] = made.render(REQUESTS[:1])
    generator = [torch.Generator().manual_seed(REQUESTS[0].seed)]
    given = {k: v for k, v in calls[0].items() if k not in ("seeds", "generator")}
    picture = made._pipeline(generator=generator, **given).images[0]
    assert np.ptp(picture, axis=-1).max() > 0.05
    np.testing.assert_allclose(film.image / 255, picture.mean(-1), atol=0.5 / 255 + 1e-6)


def test_resizing_is_on_record(stable: Path) -> None:
    [made] = renderer(stable).render(REQUESTS[:1])
    [film] = renderer(stable, film_size=48).render(REQUESTS[:1])
    assert film.image.shape == (48, 48)
    assert film.parameters["made_at"] == [32, 32] and film.parameters["resized_to"] == [48, 48]
    assert made.parameters["made_at"] == [32, 32] and made.parameters["resized_to"] is None
    expected = Pillow.fromarray(made.image).resize((48, 48), Pillow.Resampling.LANCZOS)
    np.testing.assert_array_equal(film.image, np.asarray(expected))


def test_record_tells_what_the_film_depends_on(stable: Path) -> None:
    [film] = renderer(stable, guidance=4.0).render(REQUESTS[:1])
    kept = film.parameters
    assert kept["model"] == stable.name and len(kept["sha256"]) == 64
    assert kept["scheduler"] == "DDIMScheduler"
    assert kept["dtype"] == "float32" and kept["device"] == "cpu" and kept["deterministic"]
    assert kept["arguments"]["guidance_scale"] == 4.0
    json.dumps(kept, allow_nan=False)


def test_another_weight_is_another_model(stable: Path, tmp_path: Path) -> None:
    other = tiny_diffusion.stable_diffusion(tmp_path / "model")
    one = DiffusionOptions(model=str(stable)).identity()["sha256"]
    assert DiffusionOptions(model=str(other)).identity()["sha256"] == one
    weights = tmp_path / "changed" / "unet" / "diffusion_pytorch_model.safetensors"
    (tmp_path / "model").rename(tmp_path / "changed")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert DiffusionOptions(model=str(tmp_path / "changed")).identity()["sha256"] != one


def test_impression_alone_is_the_papers_prompt(stable: Path) -> None:
    made = renderer(stable, sections="impression", prefix="Chest film.")
    assert made.prompt(REQUESTS[0]).text == f"Chest film. {IMPRESSION}"
    assert made.prompt(RenderRequest("Clear lungs.", 1)).text == "Chest film. Clear lungs."


def test_negative_prompt_and_arguments_reach_the_pipeline(
    stable: Path, calls: list[dict[str, Any]]
) -> None:
    renderer(stable, negative_prompt="lateral", arguments={"guidance_rescale": 0.7}).render(
        REQUESTS[:1]
    )
    assert calls[0]["negative_prompt"] == ["lateral"] and calls[0]["guidance_rescale"] == 0.7


@pytest.mark.parametrize("name", ["nonsense", "generator"])
def test_an_argument_that_cannot_be_given_is_refused(stable: Path, name: str) -> None:
    with pytest.raises(SyncxrError, match=f"'{name}' cannot be given to StableDiffusionPipeline"):
        renderer(stable, arguments={name: 1}).render(REQUESTS[:1])


def test_a_size_that_the_pipeline_refuses_is_the_users_fault(stable: Path) -> None:
    with pytest.raises(SyncxrError, match="divisible by 8"):
        renderer(stable, size=33).render(REQUESTS[:1])


def test_a_film_of_no_numbers_is_refused(stable: Path) -> None:
    made = renderer(stable)
    with torch.no_grad():
        made._pipeline.vae.decoder.conv_out.bias.fill_(float("nan"))
    with pytest.raises(SyncxrError, match="no numbers in float32"):
        made.render(REQUESTS[:1])


def test_the_denoiser_is_compiled_on_demand(stable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda self, **_: compiled.append(type(self).__name__)
    )
    renderer(stable).render(REQUESTS[:1])
    assert not compiled
    renderer(stable, compile=True).render(REQUESTS[:1])
    assert compiled == ["UNet2DConditionModel"]


def test_a_safety_checker_is_left_out(stable: Path, tmp_path: Path) -> None:
    """Folders of Stable Diffusion name one; nothing of it is even read."""
    shutil.copytree(stable, tmp_path / "with")
    index = tmp_path / "with" / "model_index.json"
    stored = json.loads(index.read_text())
    stored["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index.write_text(json.dumps(stored))
    made = renderer(tmp_path / "with")
    assert made.render(REQUESTS[:1])[0].image.std() > 1
    assert made._pipeline.safety_checker is None


def test_faults_show_before_any_work(tmp_path: Path) -> None:
    def built(**options: Any) -> None:
        build("renderer", RENDERERS, BackendSpec(name="diffusion", **options))

    with pytest.raises(SyncxrError, match="neither a folder here nor a hub id"):
        built(model=str(tmp_path / "missing"))
    with pytest.raises(SyncxrError, match=r"holds no model_index\.json"):
        built(model=str(tmp_path))
    with pytest.raises(SyncxrError, match="revision: COMMIT"):
        built(model="stanfordmimi/RoentGen-v2")
    with pytest.raises(SyncxrError, match="'steps'"):
        built(model=str(tmp_path), steps=0)
    with pytest.raises(SyncxrError, match="device 'cuda:9' is not there"):
        built(model="a/b", revision="main", device="cuda:9")


def test_a_damaged_model_is_told_in_one_line(stable: Path, tmp_path: Path) -> None:
    shutil.copytree(stable, tmp_path / "bad")
    (tmp_path / "bad" / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"short")
    with pytest.raises(SyncxrError, match="cannot be loaded") as raised:
        renderer(tmp_path / "bad").render(REQUESTS[:1])
    assert "\n" not in str(raised.value)


def test_every_finding_may_be_asked_for(stable: Path) -> None:
    rare = Entity("azygos lobe", Category.ABNORMALITY, Polarity.PRESENT)
    assert renderer(stable).shows(rare)
