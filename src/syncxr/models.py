"""Third-party models: where they are, what they are, on what they run.

In: a local folder, or a hub id with its revision. Out: identity, device and precision.
Must not know: what a model is for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from syncxr.errors import SyncxrError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

Precision = Literal["auto", "float32", "float16", "bfloat16"]

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


class ModelOptions(BaseModel):
    """A model in the layout of the Hugging Face libraries, and what it runs on.

    Attributes:
        model: Folder, or id on the hub (``owner/name``).
        revision: Commit or tag of the hub id; needed there, so that a run can be repeated.
        trust_remote_code: Let code that comes with the model run here. Only for models whose
            code you have read.
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        dtype: Precision; ``"auto"`` is float32 on a processor and half on a GPU.
        batch_size: How many at once; by default 1 on a processor, 8 on a GPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    revision: str = ""
    trust_remote_code: bool = False
    device: str = "auto"
    dtype: Precision = "auto"
    batch_size: int | None = Field(default=None, ge=1)

    @property
    def is_folder(self) -> bool:
        """Whether the model lies in a folder here."""
        return bool(self.model) and Path(self.model).is_dir()

    def check(self, marker: str) -> None:
        """Find a wrong name before any work.

        Args:
            marker: File that a folder of this kind of model has.

        Raises:
            SyncxrError: Neither a folder with that file nor a hub id with its revision.
        """
        if self.is_folder:
            if not (Path(self.model) / marker).is_file():
                raise SyncxrError(f"{self.model} holds no {marker}; give the folder that does")
        elif not _HUB_ID.fullmatch(self.model):
            raise SyncxrError(f"model {self.model!r} is neither a folder here nor a hub id")
        elif not self.revision:
            raise SyncxrError(
                f"model {self.model!r} is no folder here; to take it from the hub, pin it with "
                "revision: COMMIT (on its page under Files, History)"
            )

    def identity(self) -> dict[str, str]:
        """What the model is, for provenance and caches: name with revision, or with hash."""
        if self.is_folder:
            folder = Path(self.model)
            return {"model": folder.resolve().name, "sha256": folder_hash(folder)}
        return {"model": self.model, "revision": self.revision}

    def load(self, load: Callable[..., T], **arguments: Any) -> T:
        """Call a ``from_pretrained`` with name, revision and trust.

        Raises:
            SyncxrError: The model cannot be had or is damaged.
        """
        from transformers.utils import logging

        logging.disable_progress_bar()
        if not self.is_folder:
            arguments["revision"] = self.revision
        try:
            return load(self.model, trust_remote_code=self.trust_remote_code, **arguments)
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise SyncxrError(
                f"model {self.model!r} cannot be loaded ({reason}); check the folder, or the "
                "network and the access token (HF_TOKEN) for a hub id"
            ) from error

    def place(self) -> torch.device:
        """The device that is meant.

        Raises:
            SyncxrError: There is no such device.
        """
        import torch

        name = self.device
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            device = torch.device(name)
        except RuntimeError as error:
            raise SyncxrError(f"device {name!r} is unknown; use auto, cpu or cuda") from error
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise SyncxrError(f"device {name!r} is not there; use auto or cpu")
        return device

    def precision(self, half: Literal["float16", "bfloat16"] = "bfloat16") -> torch.dtype:
        """The precision that is meant; ``half`` is what ``"auto"`` means on a GPU."""
        import torch

        name: str = self.dtype
        if name == "auto":
            name = "float32" if self.place().type == "cpu" else half
        found: torch.dtype = getattr(torch, name)
        return found

    def at_once(self) -> int:
        """Batch size that is meant."""
        return self.batch_size or (1 if self.place().type == "cpu" else 8)


def full_batches(items: Sequence[T], size: int) -> Iterator[tuple[list[T], int]]:
    """Batches of one size, the last filled up with its last item, and how many in each count.

    Kernels round by the shape of a batch, so that a result from a filled-up batch is the one that
    a full batch gives. With several threads they also split a batch among them, and the last bits
    may depend on the place in it (seen on a processor); one at a time, the default there, nothing
    depends on the neighbours.
    """
    for start in range(0, len(items), size):
        part = list(items[start : start + size])
        yield part + [part[-1]] * (size - len(part)), len(part)


@cache
def folder_hash(folder: Path) -> str:
    """Hash of the names and bytes of a folder's files; hidden ones (``.git``) do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            with path.open("rb") as stream:
                part = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"{name.as_posix()}\0{part}\n".encode())
    return digest.hexdigest()
