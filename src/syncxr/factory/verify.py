"""Read a finished run again and check all that it promises."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

import yaml
from pydantic import BaseModel

from syncxr.dataset.manifest import read_manifest
from syncxr.dataset.reader import find_shards, shard_paths
from syncxr.dataset.shards import check_hash, read_shard
from syncxr.dataset.storage import StoragePath, below
from syncxr.entities.matching import MatchingOptions
from syncxr.entities.plan import PlanFile
from syncxr.errors import SyncxrError
from syncxr.progress import bar
from syncxr.registry import BackendSpec
from syncxr.reports.verification import Verifier
from syncxr.sample import Polarity, Sample


class Verification(BaseModel):
    """What a check of a run found.

    Attributes:
        files: Files whose hash was compared.
        pairs: Pairs read.
        masks: Masks looked at.
        verified_texts: Pairs whose two sections say what was planned.
        faults: Kind (``files``, ``pairs``, ``masks``, ``texts``, ``plan``) to one line for each;
            empty = all promises hold.
    """

    files: int
    pairs: int
    masks: int
    verified_texts: int
    faults: Mapping[str, list[str]]


def verify(folder: StoragePath) -> Verification:
    """Check hashes, pairs, masks and texts of a run, or of a dataset folder alone.

    Raises:
        SyncxrError: There is no finished dataset in the folder.
    """
    if not folder.exists():
        raise SyncxrError(f"{folder} does not exist; give a run folder or a dataset folder")
    dataset = folder / "dataset" if (folder / "dataset").is_dir() else folder
    manifest = read_manifest(dataset)
    faults: defaultdict[str, list[str]] = defaultdict(list)
    faults["files"] += [line for file in manifest.files if (line := check_hash(dataset, file))]
    unlisted = {below(path, dataset) for path in shard_paths(dataset)} - {
        file.path for file in manifest.files
    }
    faults["files"] += [f"{dataset / path} is not in the manifest" for path in sorted(unlisted)]
    verifier = _verifier(folder)
    ids: Counter[str] = Counter()
    masks = texts = 0
    with bar("verify", manifest.pairs) as progress:
        for file in manifest.files:
            for sample in _samples(dataset / file.path, faults["files"]):
                wrong = list(_text_faults(sample, verifier))
                found = {"pairs": _pair_faults(sample), "masks": _mask_faults(sample)}
                for kind, lines in (*found.items(), ("texts", wrong)):
                    faults[kind] += [f"{sample.id}: {line}" for line in lines]
                ids[sample.id] += 1
                masks += len(sample.masks)
                texts += not wrong
                progress.advance()
    faults["plan"] += [f"{id} occurs {n} times" for id, n in ids.items() if n > 1]
    faults["plan"] += _plan_faults(folder, ids, faults["files"])
    return Verification(
        files=len(manifest.files),
        pairs=ids.total(),
        masks=masks,
        verified_texts=texts,
        faults={kind: lines for kind, lines in faults.items() if lines},
    )


def _samples(path: StoragePath, faults: list[str]) -> list[Sample]:
    try:
        return read_shard(path)
    except SyncxrError as error:
        faults.append(str(error))
        return []


def _drafted(sample: Sample) -> bool:
    """Whether its report was written here, to say what was planned."""
    return "draft" in sample.provenance


def _plan_faults(folder: StoragePath, kept: Collection[str], damaged: list[str]) -> Iterator[str]:
    """Planned samples that are in no place or in two, where the folder is a whole run."""
    path = folder / "plan.parquet"
    if not path.exists():
        return
    planned = {report.id for report in PlanFile(path)}
    paths = find_shards(folder / "rejected")
    rejected = Counter(sample.id for shard in paths for sample in _samples(shard, damaged))
    yield from (
        f"{id} is planned but neither kept nor rejected"
        for id in sorted(planned - set(kept) - set(rejected))
    )
    yield from (f"{id} is both kept and rejected" for id in sorted(set(kept) & set(rejected)))
    yield from (f"{id} was never planned" for id in sorted(set(kept) - planned))


def _pair_faults(sample: Sample) -> Iterator[str]:
    if sample.image is None:
        yield "has no film"
    elif sample.image.min() == sample.image.max():
        yield "has a film of a single grey"
    if not sample.findings.strip():
        yield "has no FINDINGS"
    if _drafted(sample) and not sample.impression.strip():
        yield "has no IMPRESSION"


def _mask_faults(sample: Sample) -> Iterator[str]:
    positives = {str(e) for e in sample.entities if e.polarity is Polarity.PRESENT}
    for finding, mask in sample.masks.items():
        if sample.image is not None and mask.shape != sample.image.shape:
            yield f"mask {finding!r} is {mask.shape}, film is {sample.image.shape}"
        if not mask.any():
            yield f"mask {finding!r} is empty"
        if _drafted(sample) and finding not in positives:
            yield f"mask {finding!r} belongs to no positive finding of the report"


def _verifier(folder: StoragePath) -> Verifier:
    """What verified the reports of the run when they were drafted."""
    path = folder / "config.yaml"
    held = (yaml.safe_load(path.read_text("utf-8")) if path.exists() else None) or {}
    extractor = BackendSpec.model_validate(held.get("extractor", {"name": "rules"}))
    return Verifier.build(extractor, MatchingOptions.model_validate(held.get("matching", {})))


def _text_faults(sample: Sample, verifier: Verifier) -> Iterator[str]:
    if not _drafted(sample):
        return  # One's own report was not asked to say anything.
    checks: tuple[tuple[str, Callable[..., tuple[str, ...]], str], ...] = (
        ("FINDINGS", verifier.findings, sample.findings),
        ("IMPRESSION", verifier.impression, sample.impression),
    )
    for section, check, text in checks:
        for reason in check(text, sample.entities):
            yield f"{section}: {reason}"
