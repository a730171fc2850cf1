"""What the inspection left in shards, as tables and a page for people."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from syncxr.corpora.study import Corpus
from syncxr.curation.judge import QUESTIONS, SIMILAR
from syncxr.dataset.files import atomic
from syncxr.dataset.shards import ShardRecord, read_shard
from syncxr.factory.audit.duplicates import distance, groups, near_pairs
from syncxr.factory.audit.gallery import SHOWN, Refused, write_gallery
from syncxr.factory.audit.summary import FilmSummary
from syncxr.factory.verdicts import UNREADABLE
from syncxr.progress import bar
from syncxr.sample import Sample

_REASON = "film: "
_SIMILARITY = "similarity_to_bad"
_SCORES = (*QUESTIONS, _SIMILARITY)
_FILM = ("study", "patient", "split", "view")


def summarise_films(
    root: Path, corpus: Corpus, judge: str, records: Sequence[ShardRecord]
) -> FilmSummary:
    """Write ``verdicts.csv``, ``rejected.csv``, ``rejected.html`` and ``duplicates.csv``.

    Args:
        root: Folder of the audit.
        corpus: Whose films they are.
        judge: Who judged.
        records: Of all inspected shards; they are read one at a time.
    """
    reasons = _reasons(records)
    page = _Page(reasons)
    prints = _Prints()
    views: dict[str, list[int]] = {}
    films = passed = 0
    with ExitStack() as stack:
        verdicts, rejected = (
            _writer(stack, root / name) for name in ("verdicts.csv", "rejected.csv")
        )
        for sample in _samples(root, records):
            row = _row(sample)
            verdicts.writerow(row)
            refused = bool(sample.provenance["curation"]["reasons"])
            if refused:
                rejected.writerow(row)
                page.offer(sample)
            prints.add(sample)
            counted = views.setdefault(sample.provenance["film"]["view"], [0, 0])
            counted[0] += 1
            counted[1] += refused
            films += 1
            passed += not refused
    write_gallery(root / "rejected.html", corpus.name, corpus.terms, reasons, page.shown)
    found, across = prints.write(root / "duplicates.csv")
    return FilmSummary(
        judge=judge,
        films=films,
        passed=passed,
        reasons=reasons,
        views={name: (n, bad) for name, (n, bad) in sorted(views.items())},
        verdicts=str(root / "verdicts.csv"),
        rejected=str(root / "rejected.csv"),
        gallery=str(root / "rejected.html"),
        duplicate_groups=len(found),
        duplicate_films=sum(map(len, found)),
        across_patients=across,
        duplicates=str(root / "duplicates.csv"),
    )


def _reasons(records: Sequence[ShardRecord]) -> dict[str, int]:
    """Reason to films refused for it, the commonest first."""
    totals: Counter[str] = Counter()
    for record in records:
        counts = record.statistics.items()
        totals.update(
            {key.removeprefix(_REASON): n for key, n in counts if key.startswith(_REASON)}
        )
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _samples(root: Path, records: Sequence[ShardRecord]) -> Iterator[Sample]:
    """Films in the order of the listing, whether accepted or not."""
    for record in records:
        both = [s for file in record.files for s in read_shard(root / file.path, file.sha256)]
        yield from sorted(both, key=lambda sample: sample.id)


def _writer(stack: ExitStack, path: Path) -> Any:
    stream = stack.enter_context(
        stack.enter_context(atomic(path)).open("w", newline="", encoding="utf-8")
    )
    writer = csv.writer(stream)
    writer.writerow(["id", *_FILM, "passed", "reasons", *_SCORES, "height", "width"])
    return writer


def _row(sample: Sample) -> list[object]:
    reasons = sample.provenance["curation"]["reasons"]
    film = sample.provenance["film"]
    scores = [f"{sample.quality[n]:.4f}" if n in sample.quality else "" for n in _SCORES]
    size = sample.provenance.get("size", ("", ""))
    return [
        sample.id,
        *(film[name] for name in _FILM),
        not reasons,
        " ".join(reasons),
        *scores,
        *size,
    ]


@dataclass
class _Page:
    """Picks films for the page, evenly over all that were refused for a reason."""

    counts: Mapping[str, int]
    shown: dict[str, list[Refused]] = field(default_factory=dict)
    _seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.shown = {reason: [] for reason in self.counts}

    def offer(self, sample: Sample) -> None:
        reasons = sample.provenance["curation"]["reasons"]
        for reason in reasons:
            step = max(1, -(-self.counts[reason] // SHOWN))
            if self._seen[reason] % step == 0:
                scores = {
                    r: sample.quality.get(_SIMILARITY if r == SIMILAR else r) for r in reasons
                }
                film = sample.provenance["film"]
                self.shown[reason].append(Refused(sample.id, film["path"], film["view"], scores))
            self._seen[reason] += 1


@dataclass
class _Prints:
    """Fingerprints with the names and patients they belong to, packed."""

    prints: list[bytes] = field(default_factory=list)
    _chunk: list[tuple[str, str]] = field(default_factory=list)
    _names: list[pa.Table] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        if UNREADABLE in sample.provenance["curation"]["reasons"]:
            return
        self.prints.append(bytes.fromhex(sample.provenance["fingerprint"]))
        self._chunk.append((sample.id, sample.provenance["film"]["patient"]))
        if len(self._chunk) == 10_000:
            self._pack()

    def write(self, path: Path) -> tuple[list[list[int]], int]:
        """The groups, and how many of them hold films of more than one patient."""
        self._pack()
        names = pa.concat_tables(self._names)
        across = 0
        with bar("compare films", len(self.prints)) as progress:
            pairs = near_pairs(self.prints, progress=progress.advance)
            found = groups(len(self.prints), pairs)
        with atomic(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["group", "id", "patient", "different_bits"])
            for number, members in enumerate(found, start=1):
                rows = names.take(members).to_pylist()
                across += len({row["patient"] for row in rows}) > 1
                for member, row in zip(members, rows, strict=True):
                    bits = distance(self.prints[members[0]], self.prints[member])
                    writer.writerow([number, row["id"], row["patient"], bits])
        return found, across

    def _pack(self) -> None:
        ids, patients = zip(*self._chunk, strict=True) if self._chunk else ((), ())
        columns = {"id": pa.array(ids, pa.string()), "patient": pa.array(patients, pa.string())}
        self._names.append(pa.table(columns))
        self._chunk.clear()
