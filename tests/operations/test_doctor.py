"""The doctor: a remedy for every fault, no secret, and no need of anything but the core."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from chat_servers import FaultyServer, llama_server

from syncxr.cli import main
from syncxr.config import load_config
from syncxr.curation import JUDGES
from syncxr.curation.judge import HALF, QUESTIONS, Verdict, VerdictOptions
from syncxr.operations.doctor import diagnose
from syncxr.sample import Image

KEY = "sk-hush-hush-1234567890"

# None of the extras can be imported, as where only `pip install syncxr` was run.
_CORE_ONLY = """
import sys
for name in ("torch", "torchvision", "transformers", "timm", "safetensors", "nibabel", "xllamacpp",
             "openai", "diffusers", "accelerate", "ray", "s3fs", "upath", "fsspec", "pandas",
             "torchxrayvision", "segmentation_models_pytorch", "pydicom", "datasets", "sklearn"):
    sys.modules[name] = None
from syncxr.cli import main
sys.argv = ["syncxr", *sys.argv[1:]]
main()
"""


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str | int | None:
    monkeypatch.setattr(sys, "argv", ["syncxr", "doctor", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def by_name(diagnosis: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in diagnosis["findings"]}


def small(folder: Path, **parts: object) -> Path:
    """A configuration whose backends are built in a moment, but for those given."""
    path = folder / "mine.yaml"
    path.write_text(json.dumps({"renderer": {"name": "simulation", "size": 64}, **parts}))
    return path


@pytest.mark.slow
def test_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    code = run(monkeypatch, "-c", small(tmp_path), "-o", tmp_path / "out", "--json", figures)
    diagnosis = json.loads(figures.read_text())
    assert code == 0, [f for f in diagnosis["findings"] if f["state"] == "fault"]
    found = by_name(diagnosis)
    assert "pleural effusion" in found["extractor rules"]["detail"]
    assert "verified in attempt" in found["writer llamacpp"]["detail"]
    assert "64 × 64 pixels" in found["renderer simulation"]["detail"]
    assert "frontal" in found["judge inspector"]["detail"]
    assert "verified (CC-BY-3.0)" in found["thorax-ct"]["detail"]
    assert "GB free" in found["output"]["detail"]
    assert not (tmp_path / "out").exists(), "looking leaves nothing"
    assert "everything configured can run" in capsys.readouterr().out


def test_works_with_the_core_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _CORE_ONLY, "doctor", "-o", str(tmp_path), "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stderr
    found = by_name(json.loads(done.stdout))
    assert found["extractor rules"]["state"] == "ok"
    assert found["GPU"]["state"] == "info"
    for name in ("writer llamacpp", "renderer simulation", "judge inspector"):
        assert found[name]["state"] == "fault"
        assert "pip install 'syncxr[embedded]'" in found[name]["remedy"], found[name]


def test_what_is_configured_wrongly_is_a_fault_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small(
        tmp_path,
        corpus=str(tmp_path / "absent.csv"),
        writer={"name": "llamacpp", "model": str(tmp_path / "absent.gguf")},
        renderer={"name": "crayons"},
        judge={"name": "inspector", "thresholds": {"beauty": 0.5}},
    )
    assert run(monkeypatch, "-c", config, "-o", tmp_path, "--json", tmp_path / "f.json") == 1
    diagnosis = json.loads((tmp_path / "f.json").read_text())
    found = by_name(diagnosis)
    assert "absent.gguf does not exist" in found["writer llamacpp"]["detail"]
    assert "known: diffusion, simulation" in json.dumps(found["renderer crayons"])
    assert "beauty" in found["judge inspector"]["detail"]
    assert found["corpus"]["state"] == "warning", "a bank would do"
    assert diagnosis["faults"] == 3
    assert all(f["remedy"] for f in diagnosis["findings"] if f["state"] in ("fault", "warning"))
    assert "3 things configured cannot run" in capsys.readouterr().out


def test_without_an_extractor_no_writer_is_asked(tmp_path: Path) -> None:
    config = small(tmp_path, extractor={"name": "rate-ner", "model": "???"}, renderer={"name": "x"})
    found = by_name(diagnose(lambda: load_config(str(config)), tmp_path).model_dump())
    assert "not filled in: extractor.model" in found["extractor rate-ner"]["detail"]
    assert "--set extractor.model=" in found["extractor rate-ner"]["remedy"]
    assert found["writer llamacpp"]["state"] == "warning"
    assert "made no film" in found["judge inspector"]["detail"]


def test_a_configuration_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = tmp_path / "figures.json"
    arguments = ("--set", "sampling.pears=3", "-o", tmp_path, "--json", figures)
    assert run(monkeypatch, *arguments) == 1
    found = by_name(json.loads(figures.read_text()))
    assert "sampling.pears" in found["configuration"]["detail"]
    assert found["python"]["state"] == "ok", "the rest was looked at all the same"


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    figures = tmp_path / "figures.json"
    arguments = ("--set", "writer={name: none}", "--set", "renderer={name: none}")
    assert run(monkeypatch, *arguments, "-o", tmp_path / "file" / "out", "--json", figures) == 1
    found = by_name(json.loads(figures.read_text()))
    assert found["output"]["state"] == "fault" and "-o" in found["output"]["remedy"]


@pytest.mark.parametrize("fault", ["401", "500", "dropped connection"])
def test_no_secret_is_printed(
    fault: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A server that repeats the key, an address with a password, a key where none belongs."""
    monkeypatch.setenv("MY_SERVER", KEY)
    with FaultyServer(lambda words, before: fault) as server:
        chat = {"name": "chat", "base_url": server.url, "model": "m", "api_key_env": "MY_SERVER"}
        config = small(
            tmp_path,
            corpus=f"{KEY}.csv",
            writer=chat,
            renderer={"name": "simulation", "api_key": KEY + "x"},
            judge={**chat, "base_url": f"http://me:{KEY}y@localhost/v1"},
        )
        arguments = ("-c", config, "-o", tmp_path, "--json", tmp_path / "f.json")
        assert run(monkeypatch, *arguments) == 1
    printed = capsys.readouterr()
    for text in (printed.out, printed.err, (tmp_path / "f.json").read_text()):
        assert "hush" not in text
    assert by_name(json.loads((tmp_path / "f.json").read_text()))["writer chat"]["remedy"]


class Shy:
    """A judge that leaves a question without an answer."""

    Options = VerdictOptions

    def __init__(self, options: VerdictOptions) -> None:
        self._options = options

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        answers = {question: 0.9 for question in QUESTIONS if question != "fidelity"}
        return [self._options.verdict(answers, HALF, None, 1.0) for _ in images]


def test_a_question_without_an_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("shy_judges")
    module.Shy = Shy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shy_judges", module)
    monkeypatch.setitem(JUDGES, "shy", "shy_judges:Shy")
    config = small(tmp_path, judge={"name": "shy"}, writer={"name": "none"})
    found = by_name(diagnose(lambda: load_config(str(config)), tmp_path).model_dump())["judge shy"]
    assert "refuses it: unanswered" in found["detail"] and "fidelity –" in found["detail"]


def test_nobody_listens(tmp_path: Path) -> None:
    chat = {"name": "chat", "base_url": "http://localhost:9/v1", "model": "m"}
    config = small(tmp_path, writer=chat)
    found = by_name(diagnose(lambda: load_config(str(config)), tmp_path).model_dump())
    assert found["writer chat"]["state"] == "fault"
    assert "localhost:9" in found["writer chat"]["detail"]
    assert "see that it runs" in found["writer chat"]["remedy"]


@pytest.mark.slow
def test_a_real_server_is_asked_four_things(tmp_path: Path) -> None:
    with llama_server() as url:
        chat = {"name": "chat", "base_url": url, "model": "smollm2", "engine": "llamacpp"}
        config = small(tmp_path, writer=chat, judge={**chat, "logprobs": True})
        found = by_name(diagnose(lambda: load_config(str(config)), tmp_path).model_dump())
    assert "lists" in found["writer's server"]["detail"]
    assert "kept to a JSON schema" in found["writer's forms"]["detail"]
    assert found["judge's probabilities"]["state"] == "ok"
    assert "verified in attempt" in found["writer chat"]["detail"]
    # A model that sees nothing cannot judge: the fault is told, not hidden.
    assert found["judge chat"]["state"] == "fault" and found["judge chat"]["remedy"]
