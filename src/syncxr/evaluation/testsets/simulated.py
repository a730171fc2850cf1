"""Simulated films with true masks: a dataset of the factory, read as a test set."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as Pillow

from syncxr.dataset.reader import find_shards
from syncxr.dataset.schema import decode_png
from syncxr.errors import SyncxrError
from syncxr.evaluation.splits.dividing import divide
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.sample import Category, Entity, Image, Mask, Polarity

NOTE = "Simulated films, all from one source CT: says nothing of real patients."

ALIKE = (frozenset({"consolidation", "opacity"}),)
"""Findings that radiologists use for the same shadow: a film with one of them is unlabelled for
the other."""

SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}

_TABLE = ["id", "entities", "provenance", "masks"]


def shown(entities: tuple[Entity, ...], provenance: Mapping[str, Any]) -> set[str]:
    """Concepts that the renderer put into a film, whatever the text asked for."""
    into = set(provenance["film"]["shown"])
    return {entity.concept for entity in entities if str(entity) in into}


class Simulated(TestSet):
    """The held-out simulated set, or any dataset that the simulation rendered.

    A film is positive for what the renderer put into it. Findings are those that any of its films
    was asked to show. torchxrayvision has no such set.
    """

    info = Info(
        name="simulated",
        title="held-out simulated set",
        source="made here: syncxr evaluate makes the held-out set, syncxr generate others",
        citation="",
        licence="as the source CT: LIDC-IDRI, CC BY 3.0",
        how_to_get="syncxr evaluate CHECKPOINT makes it into runs/test",
        parts=(Part("shards", ("data/*.parquet", "dataset/data/*.parquet", "*.parquet")),),
        counts={},
        findings=(),
        tasks=("zero-shot", "grounding", "classification", "segmentation"),
        splits=("all", "train", "valid", "test"),
        notes=(NOTE, "A film with consolidation is unlabelled for opacity, and the reverse."),
    )

    def __init__(self, root: Path, split: str = "all", seed: int = 0) -> None:
        """Read the tables of a dataset folder; see :class:`TestSet`."""
        root = root / "dataset" if (root / "dataset").is_dir() else root
        super().__init__(root, split, seed)
        shards = [Path(str(path)) for path in find_shards(root)]
        rows = [(path, place, row) for path in shards for place, row in enumerate(_rows(path))]
        if not rows:
            raise SyncxrError(f"{root} holds no films; give the folder of a dataset")
        found: list[tuple[str, Path, int, set[str], set[str]]] = []
        asked: set[str] = set()
        self._entities: dict[str, tuple[Entity, ...]] = {}
        for path, place, row in rows:
            entities = tuple(Entity.from_dict(entity) for entity in row["entities"])
            provenance = json.loads(row["provenance"])
            if "shown" not in provenance.get("film", {}):
                raise SyncxrError(
                    f"{path}, row {place}: film {row['id']} does not say what it shows; only "
                    "simulated films can be scored so"
                )
            own = {e.concept for e in entities if _affirmed(e)}
            asked |= own
            self._entities[row["id"]] = entities
            masked = {mask["finding"] for mask in row["masks"]}
            found.append((row["id"], path, place, shown(entities, provenance) & own, masked))
        self._findings = tuple(sorted(asked))
        self._places = {id: (path, place) for id, path, place, _, _ in found}
        self._masked = {id: masked for id, _, _, _, masked in found}
        items = tuple(
            Item(
                id=id,
                path=path.relative_to(root).as_posix(),
                patient="",
                labels={finding: _label(finding, seen) for finding in self._findings},
                where=f"{path}, row {place}",
            )
            for id, path, place, seen, _ in found
        )
        self.items = items if split == "all" else divide(items, SHARES, seed)[split]
        self.split_note = "" if split == "all" else f"drawn by film, seed {seed}"

    @property
    def name(self) -> str:
        """Title with the number of films."""
        return f"{self.info.title} ({len(self)} films)"

    @property
    def findings(self) -> tuple[str, ...]:
        """What its films were asked to show."""
        return self._findings

    @property
    def targets(self) -> tuple[str, ...]:
        """Findings with a mask."""
        return tuple(finding for finding in self._findings if self.outlined(finding))

    def outlined(self, finding: str) -> tuple[Item, ...]:
        """Positive films of which the renderer kept the finding's mask."""
        return tuple(
            item
            for item in self.items
            if item.labels.get(finding) == 1 and self._statements(item, finding)
        )

    def film(self, item: Item) -> Image:
        """Film out of its shard."""
        path, place = self._places[item.id]
        return decode_png(_shard(path, path.stat().st_mtime_ns)[place]["image"]["bytes"])

    def mask(self, item: Item, finding: str) -> Mask | None:
        """Masks of all statements of the finding together."""
        path, place = self._places[item.id]
        row = _shard(path, path.stat().st_mtime_ns)[place]
        label = item.labels.get(finding, math.nan)
        statements = self._statements(item, finding)
        if label == 0:
            with Pillow.open(io.BytesIO(row["image"]["bytes"])) as film:
                return np.zeros((film.height, film.width), bool)
        if label != 1 or not statements:
            return None
        drawn = [m["mask"]["bytes"] for m in row["masks"] if m["finding"] in statements]
        return np.asarray(np.any([decode_png(data) > 0 for data in drawn], axis=0))

    def _statements(self, item: Item, finding: str) -> set[str]:
        """Statements of a finding that have a mask in this film."""
        own = {str(e) for e in self._entities[item.id] if e.concept == finding and _affirmed(e)}
        return own & self._masked[item.id]


def _affirmed(entity: Entity) -> bool:
    return entity.polarity is Polarity.PRESENT and entity.category is not Category.ANATOMY


def _label(finding: str, seen: set[str]) -> float:
    if finding in seen:
        return 1.0
    alike = {other for pair in ALIKE if finding in pair for other in pair} - {finding}
    return math.nan if seen & alike else 0.0


def _rows(path: Path) -> list[dict[str, Any]]:
    """Table of a shard without its pixels."""
    try:
        schema = pq.read_schema(path)
        columns = ["id", "entities.list.element", "provenance", "masks.list.element.finding"]
        present = [name for name in _TABLE if name in schema.names]
        if len(present) < len(_TABLE):
            raise SyncxrError(f"{path} is no shard of a dataset; give the folder of a dataset")
        # read_table would take the nested names for fields of a struct.
        table: list[dict[str, Any]] = pq.ParquetFile(path).read(columns=columns).to_pylist()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SyncxrError(f"{path} cannot be read as a shard ({reason}); restore it") from error
    return [{**row, "masks": row["masks"] or []} for row in table]


@lru_cache(maxsize=2)
def _shard(path: Path, _changed: int) -> list[dict[str, Any]]:
    """Films and masks of a shard, still as PNG; two shards are kept, for films come in order."""
    rows: list[dict[str, Any]] = pq.read_table(path, columns=["image", "masks"]).to_pylist()
    return rows
