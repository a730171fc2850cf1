"""`syncxr agreement` against a real server: a folder of films in, both ways of asking compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from judge_server import likelihood, serving
from PIL import Image as Pillow
from typer.testing import CliRunner

from syncxr.cli.main import app
from syncxr.curation.judge import QUESTIONS
from syncxr.dataset.shards import commit_shard
from syncxr.errors import SyncxrError
from syncxr.factory.agreement import _draw, compare, other_way
from syncxr.registry import BackendSpec
from syncxr.sample import Sample


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(10):
        grey = np.full((32, 32), 40 + 20 * number, np.uint8)
        Pillow.fromarray(grey).save(folder / f"{number}.png")
    return folder


def test_the_command_compares_both_ways_of_asking(films: Path, tmp_path: Path) -> None:
    config, figures = tmp_path / "config.yaml", tmp_path / "figures.json"
    with serving("likely", tmp_path / "log") as server:
        config.write_text(
            f"judge: {{name: chat, base_url: {server.url}, model: tiny, concurrency: 4}}\n"
        )
        arguments = ["agreement", str(films), "-c", str(config), "--json", str(figures)]
        result = CliRunner().invoke(app, arguments)
        asked = server.requests()
    assert result.exit_code == 0, result.output
    assert "kappa" in result.output and "artefact_free" in result.output
    kept = json.loads(figures.read_text())
    assert kept["films"] == 10
    assert kept["first"].get("ask", "each") == "each" and kept["second"]["ask"] == "all"
    assert sum("response_format" in body for body in asked) == 10
    assert sum("response_format" not in body for body in asked) == 60
    for number, row in enumerate(kept["rows"][: len(QUESTIONS)]):
        yes = sum(likelihood(40 + 20 * film, number) >= 0.5 for film in range(10))
        assert row["both_yes"] == yes and row["both_no"] == 10 - yes
        assert row["agreement"] == 1.0 and row["kappa"] == 1.0


def test_a_sample_of_a_dataset_is_drawn_once_and_by_seed(tmp_path: Path) -> None:
    for index in range(2):
        samples = [
            Sample(f"{index}-{n}", image=np.full((32, 32), 20 * n + 5, np.uint8)) for n in range(6)
        ]
        commit_shard(tmp_path, "films", index, {f"dataset/data/train-{index}.parquet": samples}, {})
    with serving("plain", tmp_path / "log") as server:
        judge = BackendSpec(name="chat", base_url=server.url, model="tiny", concurrency=1)  # type: ignore[call-arg]
        results = [compare(tmp_path, judge, other_way(judge), 5, seed) for seed in (1, 1, 2)]
        seen = [body["film"][1] for body in server.requests() if "response_format" in body]
    assert results[0].rows == results[1].rows and results[0].films == 5
    assert seen[:5] == seen[5:10] != seen[10:]
    assert len(seen) == 15


def test_every_place_can_be_drawn_and_none_twice() -> None:
    sizes = [3, 1, 4]
    everything = _draw(sizes, 100, 0)
    assert everything == {0: [0, 1, 2], 1: [0], 2: [0, 1, 2, 3]}
    few = _draw(sizes, 4, 1)
    assert sum(map(len, few.values())) == 4
    assert all(set(places) <= set(everything[part]) for part, places in few.items())


def test_other_judges_are_compared_with_another_configuration() -> None:
    with pytest.raises(SyncxrError, match="--against"):
        other_way(BackendSpec(name="inspector"))
    chat = BackendSpec(name="chat", model="a", ask="all")  # type: ignore[call-arg]
    assert other_way(chat).options["ask"] == "each"
