"""Judge the films of a corpus: the stage that curation has, over files that may be broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from syncxr.corpora.films import FAULT, read_film
from syncxr.errors import SyncxrError
from syncxr.factory.audit.duplicates import fingerprint
from syncxr.factory.audit.listing import in_parts
from syncxr.factory.stage import ShardResult
from syncxr.factory.verdicts import VerdictStage
from syncxr.sample import Sample

_IN_HAND = 16
"""Films whose pixels are in memory at a time: they come in 8 megabytes each."""


class InspectionStage(VerdictStage):
    """Films of a listing in; verdicts, sizes and fingerprints out, no pixels.

    The judge is the one of generation, with the same thresholds and the same comparison with
    known-bad films.
    """

    name = "inspected"
    output = "inspected"

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        """One verdict a film; files that do not open are refused."""
        accepted: list[Sample] = []
        rejected: list[Sample] = []
        statistics: Counter[str] = Counter()
        for part in in_parts(list(samples), _IN_HAND):
            for sample in part:
                try:
                    sample.image = read_film(Path(sample.provenance["film"]["path"]))
                except SyncxrError as error:
                    sample.provenance[FAULT] = " ".join(str(error).split())
                    continue
                sample.provenance["size"] = list(sample.image.shape)
                sample.provenance["fingerprint"] = fingerprint(sample.image).hex()
            result = super().process(part, done)
            accepted += result.accepted
            rejected += result.rejected
            statistics.update(result.statistics)
        return ShardResult(accepted, rejected, dict(statistics))
