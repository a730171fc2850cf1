"""Filling reports with items under a cap a item, without dead ends.

Every report takes a number of items, every item has a number of uses left, and some items do not
go together. Items are drawn uniformly from those with uses left. Where a report cannot be filled
because what is left does not fit it, items are exchanged with other reports along the shortest
chain that ends with an item that still has uses (augmenting paths, as in bipartite matching); where
that fails, it is drawn anew together with a few others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

Fits = Callable[[int, Sequence[int], int], bool]
"""``fits(report, members, item)``: whether ``item`` may join ``members`` in a report. It must
judge all of ``members`` together, and refuse an item that is among them."""

_Node = tuple[int, int, int]

_DRAWS = 24
"""Random draws before the whole pool is looked through."""
_REDRAWS = 200
"""Attempts to draw a report and up to three others anew before it is given up."""
_CHAIN_NODES = 20_000
"""Exchanges looked at before a report is given up; all of them for plans of up to some
thousand draws."""
_ITEM_SAMPLE = 2_000
"""Items looked at for an exchange; all of them in banks of up to this size."""


class Filler:
    """Reports being filled.

    Args:
        capacity: Uses left of each item.
        reports: Number of reports.
        fits: Which items may stand together.
        rng: Source of every draw.

    Attributes:
        members: Items of each report.
        left: Uses left of each item.
    """

    def __init__(
        self, capacity: Sequence[int], reports: int, fits: Fits, rng: np.random.Generator
    ) -> None:
        self.left = list(capacity)
        self.members: list[list[int]] = [[] for _ in range(reports)]
        self._holders: list[list[int]] = [[] for _ in self.left]
        self._fits = fits
        self._rng = rng
        self._uniform = _uniform_stream(rng)
        self._open = [item for item, uses in enumerate(self.left) if uses > 0]

    def offer(self, reports: Sequence[int], pool: Sequence[int], fits: Fits) -> None:
        """Draw one item of ``pool`` for each of ``reports`` that ``fits`` lets have one."""
        pool = list(pool)
        for report in reports:
            self._draw(report, pool, fits)

    def fill(self, reports: Sequence[int], size: int, pool: Sequence[int]) -> bool:
        """Draw from ``pool`` until each of ``reports`` has ``size`` items.

        Returns:
            False if a report could not be filled; what was placed stays.
        """
        pool = list(pool)
        for report in reports:
            while len(self.members[report]) < size:
                if self._draw(report, pool, self._fits) or self._exchange(report):
                    continue
                if not self._redraw(report, size):
                    return False
        return True

    def _draw(self, report: int, pool: list[int], fits: Fits) -> bool:
        """Place a uniformly drawn item of ``pool``; used-up ones leave the pool when met."""
        members, left = self.members[report], self.left
        refused = 0
        while pool and refused < _DRAWS:
            index = int(next(self._uniform) * len(pool))
            item = pool[index]
            if left[item] == 0:
                pool[index] = pool[-1]
                pool.pop()
            elif fits(report, members, item):
                self._place(report, item)
                return True
            else:
                refused += 1
        fitting = [item for item in pool if left[item] and fits(report, members, item)]
        if not fitting:
            return False
        self._place(report, fitting[int(next(self._uniform) * len(fitting))])
        return True

    def _place(self, report: int, item: int) -> None:
        self.members[report].append(item)
        self._holders[item].append(report)
        self.left[item] -= 1

    def _exchange(self, report: int) -> bool:
        """Fill one place of ``report`` by a chain of exchanges, breadth first.

        A node of the search is a report that misses one item, the item it has given away, and
        the node of the report it gave it to.
        """
        self._open = [item for item in self._open if self.left[item] > 0]
        if self._close(report, {report: self.members[report]}):
            return True
        if not self._open:
            return False
        nodes: list[_Node] = [(report, -1, -1)]
        seen = {(report, -1)}
        queue = deque([(0, self.members[report])])
        while queue:
            index, members = queue.popleft()
            receiver = nodes[index][0]
            for item in self._candidates():
                if not self._fits(receiver, members, item):
                    continue
                for giver in self._givers(item):
                    if (giver, item) in seen or len(nodes) >= _CHAIN_NODES:
                        continue
                    seen.add((giver, item))
                    nodes.append((giver, item, index))
                    changed = self._along(nodes, len(nodes) - 1)
                    if changed is None:
                        nodes.pop()
                    elif self._close(giver, changed):
                        return True
                    else:
                        queue.append((len(nodes) - 1, changed[giver]))
        return False

    def _redraw(self, report: int, size: int) -> bool:
        """Fill ``report`` by drawing it and a few others anew.

        Exchanges of one item for one do not lead out where an item bars several others.
        """
        filled = [r for r, members in enumerate(self.members) if members and r != report]
        for attempt in range(_REDRAWS):
            others = self._rng.integers(0, len(filled), attempt % 4) if filled else ()
            before = {r: self.members[r] for r in (report, *(filled[int(i)] for i in others))}
            sizes = {r: len(members) for r, members in before.items()} | {report: size}
            for r in before:
                self._release(r)
            pool = [item for item, uses in enumerate(self.left) if uses > 0]
            if all(
                self._draw(r, pool, self._fits)
                for r, wanted in sizes.items()
                for _ in range(wanted)
            ):
                self._open = pool
                return True
            for r in before:
                self._release(r)
            for r, members in before.items():
                for item in members:
                    self._place(r, item)
        return False

    def _release(self, report: int) -> None:
        for item in self.members[report]:
            self.left[item] += 1
        self.members[report] = []

    def _candidates(self) -> list[int]:
        """Used-up items in random order; a sample of them in large banks."""
        n = len(self.left)
        if n > _ITEM_SAMPLE:
            order = self._rng.integers(0, n, _ITEM_SAMPLE)
        else:
            order = self._rng.permutation(n)
        return [int(item) for item in order if self.left[item] == 0]

    def _givers(self, item: int) -> list[int]:
        """Reports that hold ``item``, in random order, at most 50."""
        holders = [r for r in dict.fromkeys(self._holders[item]) if item in self.members[r]]
        self._holders[item] = holders
        order = self._rng.permutation(len(holders))[:50]
        return [holders[int(i)] for i in order]

    def _along(self, nodes: list[_Node], index: int) -> dict[int, list[int]] | None:
        """Members of the reports that the chain up to node ``index`` changes.

        None where the chain passes a report twice and takes from it what it no longer has.
        """
        chain = []
        while index >= 0:
            chain.append(nodes[index])
            index = nodes[index][2]
        chain.reverse()
        changed = {chain[0][0]: list(self.members[chain[0][0]])}
        for (receiver, _, _), (giver, item, _) in pairwise(chain):
            changed.setdefault(giver, list(self.members[giver]))
            if item not in changed[giver] or item in changed[receiver]:
                return None
            changed[giver].remove(item)
            changed[receiver].append(item)
        return changed

    def _close(self, report: int, changed: dict[int, list[int]]) -> bool:
        """End a chain at ``report`` with an item that has uses left, if one fits."""
        for item in self._open:
            if not self._fits(report, changed[report], item):
                continue
            after = {**changed, report: [*changed[report], item]}
            if all(self._fits(r, m[:-1], m[-1]) for r, m in after.items()):
                self._apply(after, item)
                return True
        return False

    def _apply(self, after: dict[int, list[int]], item: int) -> None:
        for report, members in after.items():
            for new in set(members) - set(self.members[report]):
                self._holders[new].append(report)
            self.members[report] = members
        self.left[item] -= 1


def _uniform_stream(rng: np.random.Generator) -> Iterator[float]:
    """Uniform numbers in [0, 1), drawn in blocks because single draws are slow."""
    while True:
        yield from rng.random(4096).tolist()
