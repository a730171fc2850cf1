import json
from pathlib import Path

import yaml

from syncxr.assets import ASSETS
from syncxr.dataset.card import CardFacts, strictest, write_card
from syncxr.dataset.manifest import build_manifest
from syncxr.dataset.schema import SCHEMA
from syncxr.dataset.shards import commit_shard
from syncxr.sample import Sample


def card(folder: Path) -> tuple[dict[str, object], str]:
    record = commit_shard(
        folder,
        "films",
        0,
        {"dataset/data/train-00000.parquet": [Sample("a")]},
        {"film attempts": 3},
    )
    manifest = build_manifest([record], "dataset", {"pairs": 1})
    facts = CardFacts(
        made_by={"images": "simulation renderer"},
        sources=(ASSETS["openi-reports"], ASSETS["smollm2-135m"]),
        rejected=2,
    )
    write_card(folder / "dataset", manifest, facts)
    _, front, body = (folder / "dataset" / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(front), body


def test_card_says_synthetic_and_carries_the_strictest_licence(tmp_path: Path) -> None:
    front, body = card(tmp_path)
    assert front["license"] == "cc-by-nc-nd-4.0"
    assert front["configs"] == [{"config_name": "default", "data_files": "data/*.parquet"}]
    assert "SYNTHETIC" in body and "shows no patient" in body
    assert "1 pairs" in body and "2 planned samples never passed" in body
    assert "Demner-Fushman" in body and "| film attempts | 3 |" in body


def test_load_dataset_opens_the_folder(tmp_path: Path) -> None:
    from datasets import load_dataset

    card(tmp_path)
    loaded = load_dataset(
        str(tmp_path / "dataset"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded[0]["id"] == "a" and loaded[0]["image"] is None


def test_croissant_names_every_column_and_hash(tmp_path: Path) -> None:
    card(tmp_path)
    croissant = json.loads((tmp_path / "dataset" / "croissant.json").read_text())
    assert [field["name"] for field in croissant["recordSet"][0]["field"]] == SCHEMA.names
    assert len(croissant["distribution"][0]["sha256"]) == 64


def test_unknown_licence_counts_as_strictest() -> None:
    assert strictest(["MIT", "CC-BY-3.0"]) == "CC-BY-3.0"
    assert strictest(["CC-BY-NC-ND-4.0", "Hospital terms"]) == "Hospital terms"


def test_a_dataset_of_ones_own_models_has_a_card_too(tmp_path: Path) -> None:
    record = commit_shard(tmp_path, "films", 0, {"dataset/data/train-0.parquet": [Sample("a")]}, {})
    facts = CardFacts(made_by={"images": "diffusion renderer"}, sources=(), rejected=0)
    write_card(tmp_path / "dataset", build_manifest([record], "dataset", {}), facts)
    words = (tmp_path / "dataset" / "README.md").read_text()
    assert "Licence: unknown" in words and "one CT" not in words
