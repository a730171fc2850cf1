"""Fill a network with weights, and say which went where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from syncxr.errors import SyncxrError


@dataclass(frozen=True)
class LoadReport:
    """Which tensors of a weights file went where; nothing is left out silently.

    Attributes:
        source: The file or asset.
        matched: Number of tensors taken over.
        left_out: Tensors of the file that the tower has no use for (its classifier).
    """

    source: str
    matched: int
    left_out: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        rest = f"; left out: {', '.join(self.left_out)}" if self.left_out else ""
        return f"{self.source}: {self.matched} tensors taken over{rest}"


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> LoadReport:
    """Copy ``tensors`` into ``network``; every tensor of the network must get its own."""
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in tensors]
    wrong = [k for k in wanted if k in tensors and tensors[k].shape != wanted[k].shape]
    if missing or wrong:
        raise SyncxrError(
            f"weights of {source} do not fit: {len(missing)} tensors missing, {len(wrong)} of "
            f"another shape, the first {(missing + wrong)[0]}; name the model they belong to"
        )
    network.load_state_dict({key: tensors[key] for key in wanted})
    return LoadReport(source, len(wanted), tuple(sorted(set(tensors) - set(wanted))))
