"""The data of a run: divided by patient, weighed, on record."""

from dataclasses import replace
from pathlib import Path

import made_pairs
import pytest
from pydantic import ValidationError

from syncxr.dataset.shards import commit_shard
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.division import kept_out
from syncxr.pretraining.data.opening import Data, open_data
from syncxr.pretraining.data.options import DataOptions, SourceOptions
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.sample import Sample

SIZE = Preprocessing(size=32)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``run``, a dataset of 60; ``own/pairs.csv`` of 20."""
    folder = tmp_path_factory.mktemp("places")
    made_pairs.dataset(folder / "run", 60)
    made_pairs.table(folder / "own", 20, first=100)
    return folder


def options(
    places: Path, weights: tuple[float | None, ...] = (None, None), **more: object
) -> DataOptions:
    named = (
        {"path": str(places / "run"), "weight": weights[0]},
        {
            "path": str(places / "own/pairs.csv"),
            "images": places / "own/films",
            "weight": weights[1],
        },
    )
    given = {"cache": places / "cache", "validation_fraction": 0.2, **more}
    return DataOptions.model_validate({"sources": named, **given})


def ids(data: Data) -> tuple[set[str], set[str]]:
    trained = {id for batch in data.training.batches(0, 0, 1) for id in batch.ids}
    return trained, {id for batch in data.validation.in_order(0, 8) for id in batch.ids}


def test_both_sides_hold_every_pair_once(places: Path) -> None:
    data = open_data(options(places), SIZE)
    trained, kept = ids(data)
    everything = {f"s{i}" for i in range(60)} | {f"{i}.png" for i in range(100, 120)}
    assert trained | kept == everything and not trained & kept
    own = {id for id in everything if id.endswith(".png")}
    assert kept & own == {id for id in own if kept_out(id, 0.2)}
    assert len(data.training) == len(trained) and len(data.validation) == len(kept) > 4


def test_weights_are_shares_of_an_epoch(places: Path) -> None:
    data = open_data(options(places, (1, 1)), SIZE)
    count = len(data.training)
    assert [source.per_epoch for source in data.sources] == [-(-count // 2), count // 2]
    drawn = [id for batch in data.training.batches(0, 0, 1) for id in batch.ids]
    assert sum(id.endswith(".png") for id in drawn) == count // 2
    assert len(data.validation) == sum(source.validation for source in data.sources)


def test_the_record_says_what_was_drawn_on(places: Path) -> None:
    data = open_data(options(places, (3, 1)), SIZE)
    run, own = data.record()
    assert run["name"].endswith("run/dataset") and own["name"].endswith("own/pairs.csv")
    assert (run["weight"], own["weight"]) == (3, 1)
    assert run["pairs"] == run["training"] + run["validation"] == 60
    assert (own["skipped"], own["left_out"]) == ([], {})


def test_fingerprints(places: Path) -> None:
    plain, again = open_data(options(places), SIZE), open_data(options(places), SIZE)
    weighed = open_data(options(places, (1, 1)), SIZE)
    assert plain.fingerprint == again.fingerprint != weighed.fingerprint
    assert [s.fingerprint for s in plain.sources] == [s.fingerprint for s in weighed.sources]
    resized = open_data(options(places), Preprocessing(size=40))
    assert resized.fingerprint == plain.fingerprint


def test_patients_are_not_divided(tmp_path: Path) -> None:
    csv = made_pairs.table(tmp_path, 60)
    lines = csv.read_text().splitlines()
    rows = [f"patient,{lines[0]}", *(f"{i % 12},{line}" for i, line in enumerate(lines[1:]))]
    csv.write_text("\n".join(rows) + "\n")
    chosen = {"path": str(csv), "images": tmp_path / "films"}
    given = {"sources": (chosen,), "cache": tmp_path / "cache", "validation_fraction": 0.3}
    sides = ids(open_data(DataOptions.model_validate(given), SIZE))
    patients = [{int(id.removesuffix(".png")) % 12 for id in side} for side in sides]
    assert not patients[0] & patients[1] and len(patients[0] | patients[1]) == 12
    assert patients[1]


def test_films_of_one_report_are_not_divided(tmp_path: Path) -> None:
    drafted = [Sample(f"s{i}", (), *made_pairs.report(i), made_pairs.noise(i)) for i in range(40)]
    again = [replace(s, id=f"{s.id}-1", image=made_pairs.noise(99)) for s in drafted]
    for name, samples in (("first", drafted), ("second", again)):
        shard = {"dataset/data/train-00000.parquet": samples}
        commit_shard(tmp_path / name, "films", 0, shard, {})
    given = {
        "sources": [{"path": str(tmp_path / name)} for name in ("first", "second")],
        "cache": tmp_path / "cache",
        "validation_fraction": 0.3,
    }
    trained, kept = ids(open_data(DataOptions.model_validate(given), SIZE))
    assert len(trained | kept) == 80 and kept
    assert not {id.removesuffix("-1") for id in kept} & {id.removesuffix("-1") for id in trained}


def test_the_corpuss_own_division_is_kept(tmp_path: Path) -> None:
    csv = made_pairs.table(tmp_path, 20)
    lines = csv.read_text().splitlines()
    split = ["valid" if i % 4 == 0 else "train" for i in range(20)]
    rows = [f"split,{lines[0]}", *(f"{s},{line}" for s, line in zip(split, lines[1:], strict=True))]
    csv.write_text("\n".join(rows) + "\n")
    for fraction in (0.5, 0.0):
        given = {
            "sources": ({"path": str(csv), "images": tmp_path / "films"},),
            "cache": tmp_path / "cache",
            "validation_fraction": fraction,
        }
        _, kept = ids(open_data(DataOptions.model_validate(given), SIZE))
        assert kept == {f"{i}.png" for i in range(0, 20, 4)}


def test_in_memory_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCXR_CACHE", str(tmp_path))
    data = open_data(DataOptions(), SIZE, made_pairs.pairs(30))
    assert len(data.training) + len(data.validation) == 30
    assert not list(tmp_path.iterdir())


def test_terms_stay_with_what_is_derived(places: Path) -> None:
    data = open_data(options(places), SIZE)
    terms = list((places / "cache").glob("*/terms.json"))
    assert terms and all("stays_home" in path.read_text() for path in terms)
    assert data.terms is not None and data.terms.stays_home
    assert open_data(DataOptions(), SIZE, made_pairs.pairs(30)).terms is None


def test_faults_are_one_line(places: Path, tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="nothing to train on"):
        open_data(DataOptions(), SIZE)
    with pytest.raises(ValidationError, match="every source a weight, or none"):
        DataOptions(sources=(SourceOptions(path="a", weight=1), SourceOptions(path="b")))
    with pytest.raises(SyncxrError, match=r"pairs.csv has so small a weight"):
        open_data(options(places, (1000, 0.001)), SIZE)
    csv = made_pairs.table(tmp_path, 9)
    for film in (tmp_path / "films").glob("[1-8].png"):
        film.write_bytes(b"no film")
    own = DataOptions.model_validate(
        {"sources": ({"path": str(csv), "images": tmp_path / "films"},), "cache": tmp_path / "c"}
    )
    with pytest.raises(SyncxrError, match=r"8 of 9 samples.*row 3.*1\.png does not open") as caught:
        open_data(own, SIZE)
    assert "\n" not in str(caught.value)
