import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from syncxr.dataset.schema import SCHEMA, SYNTHETIC, encode_png, from_table, to_table
from syncxr.sample import Category, Entity, Polarity, Sample

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
entities = st.builds(Entity, text, st.sampled_from(Category), st.sampled_from(Polarity), text, text)


def film(seed: int, shape: tuple[int, int] = (20, 16)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    seed = draw(st.integers(0, 99))
    return Sample(
        id=draw(text),
        entities=tuple(draw(st.lists(entities, max_size=3))),
        findings=draw(text),
        impression=draw(text),
        image=draw(st.sampled_from([None, film(seed)])),
        masks={name: film(seed) > 128 for name in draw(st.sets(text, max_size=2))},
        quality=draw(st.dictionaries(text, st.floats(0, 1), max_size=3)),
        provenance=draw(st.dictionaries(text, st.one_of(text, st.integers(), st.none()))),
    )


@given(st.lists(samples(), max_size=4))
def test_round_trip(batch: list[Sample]) -> None:
    back = from_table(to_table(batch))
    assert len(back) == len(batch)
    for before, after in zip(batch, back, strict=True):
        for name in ("id", "entities", "findings", "impression", "quality", "provenance"):
            assert getattr(before, name) == getattr(after, name)
        if before.image is None:
            assert after.image is None
        else:
            assert after.image is not None
            np.testing.assert_array_equal(before.image, after.image)
        assert before.masks.keys() == after.masks.keys()
        for name, mask in before.masks.items():
            np.testing.assert_array_equal(mask, after.masks[name])


def test_png_says_synthetic() -> None:
    with PillowImage.open(io.BytesIO(encode_png(film(0)))) as picture:
        assert picture.text["Description"] == SYNTHETIC  # type: ignore[attr-defined]
    assert "SYNTHETIC" in SYNTHETIC


def test_load_dataset_decodes_images_and_masks(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    from datasets import load_dataset

    sample = Sample("0-1", image=film(1), masks={"left nodule": film(1) > 128})
    pq.write_table(to_table([sample]), tmp_path / "train-00000.parquet")
    loaded = load_dataset(
        "parquet",
        data_files=str(tmp_path / "*.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    row = loaded[0]
    np.testing.assert_array_equal(np.asarray(row["image"]), film(1))
    np.testing.assert_array_equal(np.asarray(row["masks"][0]["mask"]), film(1) > 128)
    assert row["masks"][0]["finding"] == "left nodule"


def test_schema_names_every_feature() -> None:
    features = json.loads(SCHEMA.metadata[b"huggingface"])["info"]["features"]
    assert set(features) == set(SCHEMA.names)
    assert isinstance(SCHEMA, pa.Schema)
