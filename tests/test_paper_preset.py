"""The preset of the paper: complete, valid, and clear about what only the user knows."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from syncxr.cli import main
from syncxr.config import PRESETS, UNFILLED, Config, load_config
from syncxr.errors import SyncxrError
from syncxr.operations.backends import backends

TEXT = (PRESETS / "paper.yaml").read_text("utf-8")
PLACES = {
    "corpus": "/data/mimic-cxr-jpg",
    "extractor.model": "/models/rate-ner",
    "writer.base_url": "http://localhost:8000/v1",
    "renderer.model": "/models/roentgen",
    "judge.base_url": "http://localhost:8001/v1",
    "judge.similarity.model": "/models/rad-dino",
}
PARTS = ("corpus", "extractor", "writer", "renderer", "judge")


def filled() -> Config:
    return load_config("paper", PLACES)


def test_the_top_of_the_file_names_every_open_key_and_no_other() -> None:
    top = TEXT.partition("\n\n")[0]
    named = set(re.findall(r"^#   ([a-z_.]+) {2,}\S", top, re.MULTILINE))
    assert named == set(PLACES)
    assert TEXT.count(f": {UNFILLED}") == len(PLACES)


def test_what_is_open_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = [f"--set={key}={value}" for key, value in PLACES.items() if key != "writer.base_url"]
    arguments = ["generate", "--preset", "paper", *given, "-o", str(tmp_path / "out")]
    for more in ([], ["--dry-run"]):
        monkeypatch.setattr(sys, "argv", ["syncxr", *arguments, *more])
        with pytest.raises(SystemExit) as caught:
            main()
        message = str(caught.value.code)
        assert "not filled in: writer.base_url; say --set writer.base_url=…" in message
        assert "\n" not in message
    assert not (tmp_path / "out").exists()


def test_a_bank_spares_the_corpus() -> None:
    config = load_config("paper", {**PLACES, "corpus": UNFILLED})
    config.require(*PARTS[1:])
    with pytest.raises(SyncxrError, match="not filled in: corpus"):
        config.require("corpus")


def test_pretraining_needs_nothing_filled_in() -> None:
    load_config("paper").require("pretraining")


@pytest.mark.parametrize("backend", backends(filled()), ids=lambda backend: backend.kind)
def test_options_of_every_backend_are_valid(backend: Any) -> None:
    assert backend.options() is not None


def test_servers_are_where_they_are_said_to_be() -> None:
    servers = {backend.kind: backend.server() for backend in backends(filled())}
    assert {kind: server.url for kind, server in servers.items() if server} == {
        "writer": "http://localhost:8000/v1",
        "judge": "http://localhost:8001/v1",
    }


def test_numbers_are_the_papers() -> None:
    config = filled()
    sampling = config.sampling
    assert (sampling.pairs, sampling.k, sampling.m, sampling.tau_max) == (200_000, 9, 3, 15)
    assert config.writer.options["model"] == "meta-llama/Llama-3.1-70B-Instruct"
    assert config.judge.options["model"] == "OpenGVLab/InternVL2-26B"
    assert config.renderer.options["size"] == 512
    assert config.judge.options["similarity"]["threshold"] == 0.5
    assert config.pretraining.image_encoder.name == "resnet50"
    assert config.pretraining.text_encoder.model == "emilyalsentzer/Bio_ClinicalBERT"
    pretraining = config.pretraining
    assert pretraining.text_encoder.revision == "d5892b39a4adaed74b92212a44081509db72f87b"
    assert pretraining.method.options == {}  # whose defaults are ConVIRT's
    assert (pretraining.batch_size, pretraining.learning_rate) == (32, 1e-4)


def test_gloria_stands_on_the_same_encoders_with_its_own_settings() -> None:
    convirt, gloria = (load_config(name).pretraining for name in ("paper", "paper-gloria"))
    assert gloria.image_encoder == convirt.image_encoder
    assert gloria.text_encoder.model_dump(
        include={"model", "revision"}
    ) == convirt.text_encoder.model_dump(include={"model", "revision"})
    assert (gloria.batch_size, gloria.learning_rate, gloria.clip) == (48, 5e-5, 0.25)
    assert gloria.betas == (0.5, 0.999)
    assert (gloria.text_encoder.last_layers, gloria.text_encoder.max_tokens) == (4, 97)
    assert gloria.data.caption == "report"
    assert gloria.patience == 10 and gloria.schedule == "plateau"
