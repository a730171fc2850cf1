"""Films that do not open: named, and not put up with for long."""

from __future__ import annotations

from syncxr.corpora.corrupt import check
from syncxr.corpora.films import FAULT
from syncxr.dataset.shards import ShardRecord, read_shard
from syncxr.dataset.storage import StoragePath
from syncxr.errors import SyncxrError
from syncxr.factory.verdicts import UNREADABLE


class Unreadable:
    """Of one run, shard by shard.

    Args:
        source: Where the films lie, for messages.
        root: Run folder.
        films: How many there are.
        limit: Share that may not open.

    Attributes:
        lines: One for each file that does not open.
    """

    def __init__(self, source: StoragePath, root: StoragePath, films: int, limit: float) -> None:
        self._source, self._root, self._films, self._limit = source, root, films, limit
        self.lines: list[str] = []

    def add(self, record: ShardRecord) -> None:
        """One shard more.

        Raises:
            SyncxrError: Too many films do not open, or none does.
        """
        if not record.statistics.get(f"film: {UNREADABLE}"):
            return
        for file in record.files:
            if file.path.startswith("rejected/"):
                samples = read_shard(self._root / file.path)
                faults = (sample.provenance.get(FAULT) for sample in samples)
                self.lines += [fault for fault in faults if fault]
        option = "execution.corrupt_limit"
        check(str(self._source), self.lines, self._films, self._limit, option)
        if len(self.lines) == self._films:
            raise SyncxrError(f"{self._source}: no film opens; the first: {self.lines[0]}")
