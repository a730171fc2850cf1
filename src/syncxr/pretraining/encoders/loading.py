"""Fill a network with weights, and say which went where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from syncxr.errors import SyncxrError


@dataclass(frozen=True)
class LoadReport:
    """Which tensors of a weights file went where; nothing is left out silently.

    Attributes:
        source: The file or asset.
        matched: Tensors taken over.
        left_out: Tensors of the file that the tower has no use for (its classifier).
        random: Tensors of the tower that the file has nothing for, or of another shape: they
            start at random. Empty unless partial loading was asked for.
    """

    source: str
    matched: tuple[str, ...] = field(default=())
    left_out: tuple[str, ...] = field(default=())
    random: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        parts = Counter(name.partition(".")[0] for name in self.matched)
        where = f" ({', '.join(f'{part} {count}' for part, count in parts.items())})"
        text = f"{self.source}: {len(self.matched)} tensors taken over{where if parts else ''}"
        if self.left_out:
            text += f"; left out: {', '.join(self.left_out)}"
        if self.random:
            text += f"; at random: {', '.join(self.random)}"
        return text


def fill(
    network: nn.Module, tensors: Mapping[str, Tensor], source: str, partial: bool = False
) -> LoadReport:
    """Copy ``tensors`` into ``network``.

    Raises:
        SyncxrError: A tensor of the network gets none and ``partial`` is not set, or none fits.
    """
    wanted = network.state_dict()
    fits = [key for key in wanted if key in tensors and tensors[key].shape == wanted[key].shape]
    report = LoadReport(
        source,
        matched=tuple(fits),
        left_out=tuple(sorted(set(tensors) - set(fits))),
        random=tuple(key for key in wanted if key not in set(fits)),
    )
    check(report, partial)
    network.load_state_dict({key: tensors[key] for key in fits}, strict=False)
    return report


def check(report: LoadReport, partial: bool) -> None:
    """Refuse weights of another model.

    Raises:
        SyncxrError: Nothing fits, or something is missing and ``partial`` is not set.
    """
    if report.matched and (partial or not report.random):
        return
    raise SyncxrError(
        f"weights of {report.source} do not fit: {len(report.random)} of "
        f"{len(report.matched) + len(report.random)} tensors are missing or of another shape, the "
        f"first {report.random[0]}; name the model they belong to"
        + (", or set partial" if report.matched else "")
    )
