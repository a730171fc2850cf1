"""Reports to a dataset with a diffusion pipeline and a vision chat model: all but their size."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
import yaml
from judge_server import likelihood, serving

from syncxr.cli import main
from syncxr.curation.questions import load_wording
from syncxr.dataset.reader import read
from syncxr.factory.films import film_request
from syncxr.images import RENDERERS
from syncxr.registry import BackendSpec, build
from syncxr.sample import Sample, derive_seed

REPORTS = {
    f"report-{number}": (f"There is a {size} {side} pleural effusion.", f"{side} effusion.")
    for number, (size, side) in enumerate(
        (size, side) for size in ("small", "moderate", "large") for side in ("Left", "Right")
    )
}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str | int | None:
    monkeypatch.setattr(sys, "argv", ["syncxr", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    path = tmp_path / "reports.csv"
    rows = [f"{id},{findings},{impression}" for id, (findings, impression) in REPORTS.items()]
    path.write_text("\n".join(["id,findings,impression", *rows]) + "\n")
    return path


@pytest.mark.slow
def test_reports_become_a_dataset_that_verifies(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_diffusion.stable_diffusion(tmp_path / "roentgen")
    renderer: dict[str, Any] = {
        "name": "diffusion",
        "model": str(model),
        "steps": 2,
        "size": 32,
        "device": "cpu",
    }
    again = build("renderer", RENDERERS, BackendSpec.model_validate(renderer))
    firsts = [
        again.render([film_request(Sample(id, (), *texts), derive_seed(id, "film", 0))])[0].image
        for id, texts in REPORTS.items()
    ]
    # Between the third and the fourth in brightness: half of the first films are refused.
    threshold = likelihood(float(np.sort([film.mean() for film in firsts])[2:4].mean()), 0)
    out, config = tmp_path / "run", tmp_path / "config.yaml"
    with serving("likely", tmp_path / "log") as server:
        judge = {
            "name": "chat",
            "base_url": server.url,
            "model": "tiny",
            "deciding": ["chest"],
            "thresholds": {"chest": threshold},
        }
        factory = {"shard_size": 4, "film_attempts": 30}
        config.write_text(
            yaml.safe_dump({"renderer": renderer, "judge": judge, "factory": factory})
        )
        assert run(monkeypatch, "render", reports, "-o", out, "-c", config) == 0
        assert run(monkeypatch, "verify", out, "--json", tmp_path / "found.json") == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["faults"] == {} and found["masks"] == 0
    samples = list(read(out / "dataset"))
    assert sorted(sample.id for sample in samples) == sorted(REPORTS)
    repeated = 0
    for sample in samples:
        made = sample.provenance["film"]
        *refused, accepted = made["attempts"]
        assert all(attempt["reasons"] == ["chest"] for attempt in refused)
        assert accepted["reasons"] == [] and accepted["scores"]["chest"] >= threshold
        seeds = [derive_seed(sample.id, "film", n) for n in range(len(made["attempts"]))]
        assert [attempt["seed"] for attempt in made["attempts"]] == seeds
        assert made["parameters"]["seed"] == seeds[-1] and made["shown"] == made["not_shown"] == []
        assert made["parameters"]["prompt"].startswith(REPORTS[sample.id][1])
        assert made["judged_by"]["questions_sha256"] == load_wording().sha256
        assert len(sample.quality) == 6 and not sample.masks
        [film] = again.render([film_request(sample, seeds[-1])])
        np.testing.assert_array_equal(film.image, sample.image)
        repeated += bool(refused)
    assert repeated >= 2
