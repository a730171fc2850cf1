"""One Parquet row a sample, opened by ``datasets.load_dataset`` with images decoded."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from syncxr.sample import Entity, Image, Mask, Sample

SYNTHETIC = "SYNTHETIC chest radiograph made by syncxr; it shows no patient; not for diagnosis"
"""Written into every PNG and onto the dataset card."""

_picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_entity = pa.struct(
    [(name, pa.string()) for name in ("concept", "category", "polarity", "location", "severity")]
)

# The `datasets` library reads its feature types from this key of the schema.
_features: dict[str, Any] = {
    "id": {"dtype": "string", "_type": "Value"},
    "image": {"_type": "Image"},
    "findings": {"dtype": "string", "_type": "Value"},
    "impression": {"dtype": "string", "_type": "Value"},
    "entities": [{field.name: {"dtype": "string", "_type": "Value"} for field in _entity}],
    "masks": [{"finding": {"dtype": "string", "_type": "Value"}, "mask": {"_type": "Image"}}],
    "quality": [
        {
            "name": {"dtype": "string", "_type": "Value"},
            "score": {"dtype": "float64", "_type": "Value"},
        }
    ],
    "provenance": {"dtype": "string", "_type": "Value"},
}

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", _picture),
        ("findings", pa.string()),
        ("impression", pa.string()),
        ("entities", pa.list_(_entity)),
        ("masks", pa.list_(pa.struct([("finding", pa.string()), ("mask", _picture)]))),
        ("quality", pa.list_(pa.struct([("name", pa.string()), ("score", pa.float64())]))),
        ("provenance", pa.string()),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": _features}})},
)
"""Columns of every shard; ``image`` is null while a sample is only drafted.

``provenance`` is a JSON object with sorted keys.
"""


def encode_png(image: Image | Mask) -> bytes:
    """Greyscale or one-bit PNG that says what it is in its metadata."""
    note = PngInfo()
    note.add_text("Description", SYNTHETIC)
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, format="PNG", pnginfo=note)
    return buffer.getvalue()


def decode_png(data: bytes) -> Image:
    """Inverse of :func:`encode_png` for films, uint8 (H, W)."""
    with PillowImage.open(io.BytesIO(data)) as picture:
        return np.asarray(picture if picture.mode == "L" else picture.convert("L"), np.uint8)


def to_table(samples: Iterable[Sample]) -> pa.Table:
    """Samples as one table of :data:`SCHEMA`."""
    return pa.Table.from_pylist([_to_row(sample) for sample in samples], schema=SCHEMA)


def from_table(table: pa.Table) -> list[Sample]:
    """Inverse of :func:`to_table`."""
    return [_from_row(row) for row in table.to_pylist()]


def _to_row(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.id,
        "image": None
        if sample.image is None
        else {"bytes": encode_png(sample.image), "path": f"{sample.id}.png"},
        "findings": sample.findings,
        "impression": sample.impression,
        "entities": [entity.to_dict() for entity in sample.entities],
        "masks": [
            {"finding": finding, "mask": {"bytes": encode_png(mask), "path": None}}
            for finding, mask in sorted(sample.masks.items())
        ],
        "quality": [
            {"name": name, "score": float(score)} for name, score in sorted(sample.quality.items())
        ],
        "provenance": json.dumps(sample.provenance, sort_keys=True, ensure_ascii=False),
    }


def _from_row(row: Mapping[str, Any]) -> Sample:
    return Sample(
        id=row["id"],
        entities=tuple(Entity.from_dict(entity) for entity in row["entities"]),
        findings=row["findings"],
        impression=row["impression"],
        image=None if row["image"] is None else decode_png(row["image"]["bytes"]),
        masks={item["finding"]: decode_png(item["mask"]["bytes"]) > 0 for item in row["masks"]},
        quality={item["name"]: item["score"] for item in row["quality"]},
        provenance=json.loads(row["provenance"]),
    )
