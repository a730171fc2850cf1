"""One run, one folder, one configuration, one process at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from syncxr import __version__
from syncxr.dataset.files import PARTIAL, read_text, write_text
from syncxr.dataset.storage import StoragePath, make_folder
from syncxr.errors import SyncxrError
from syncxr.factory.lease import Lease

_STORAGE_PACKAGES = {"botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "azure", "adlfs"}
"""Whose errors are about the storage and not about what was asked of it."""


@contextmanager
def open_run(
    folder: StoragePath, configuration: Mapping[str, Any], *, grows: str | None = None
) -> Iterator[StoragePath]:
    """Hold a run folder for this process and this configuration.

    A folder that already holds a run is continued if the configuration is the same; one in which a
    user's fault ended the run before anything was made is bound to nothing. Keys under
    ``execution`` (workers and the like) may change: they do not decide what is made.

    A local folder is held by a lock of the file system, which ends with the process; NFS 4, Lustre
    (mounted with ``flock``) and GPFS keep it between machines, too. Object storage, and a file
    system without locks, is held by a :class:`~syncxr.factory.lease.Lease`.

    Args:
        folder: Made if it does not exist.
        configuration: Plain JSON values; the version of syncxr is added.
        grows: Dotted key of a number that may be greater than in the run that is there.

    Raises:
        SyncxrError: Not writable, in use by another process, or made with another
            configuration; the difference is shown.
    """
    with _held(folder):
        _claim(folder, {"syncxr": __version__, **configuration}, grows)
        _remove_leftovers(folder)
        try:
            yield folder
        except SyncxrError:
            _give_back(folder)
            raise
        _remove_leftovers(folder)


@contextmanager
def _held(folder: StoragePath) -> Iterator[None]:
    try:
        make_folder(folder)
        lock = _lock(folder)
    except SyncxrError:
        raise
    except Exception as error:
        if isinstance(folder, Path) and not isinstance(error, OSError):
            raise
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise SyncxrError(
            f"{folder} cannot be written ({reason}); choose another folder"
        ) from error
    try:
        yield
    except KeyboardInterrupt:
        if isinstance(lock, Lease) and lock.lost:
            raise SyncxrError(
                f"{folder} did not answer for so long that another run has taken it; "
                "what was finished is kept"
            ) from None
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] in _STORAGE_PACKAGES:
            raise SyncxrError(
                f"{folder} does not answer ({' '.join(str(error).split())}); "
                "run the same command again when it does, what was finished is kept"
            ) from error
        raise
    finally:
        lock.release()


def _lock(folder: StoragePath) -> FileLock | Lease:
    if isinstance(folder, Path):
        lock = FileLock(folder / ".lock")
        try:
            lock.acquire(timeout=0)
            return lock
        except Timeout as error:
            raise SyncxrError(
                f"{folder} is in use by another run; wait for it or choose another folder"
            ) from error
        except NotImplementedError:
            pass  # a file system without locks
    lease = Lease(folder / ".lease")
    lease.acquire()
    return lease


def _remove_leftovers(folder: StoragePath) -> None:
    """What killed processes left half written; object storage never shows such."""
    if isinstance(folder, Path):
        for leftover in folder.rglob(PARTIAL):
            leftover.unlink(missing_ok=True)


def log_event(folder: StoragePath, event: str, **fields: Any) -> None:
    """Append a line to the run log, the only place for times and hosts."""
    line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **fields}
    line["process"] = os.getpid()
    with (folder / "run.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, sort_keys=True) + "\n")


def read_log(folder: StoragePath) -> Iterator[dict[str, Any]]:
    """Events of the run log; a line that a full disk cut short is passed over."""
    for line in read_text(folder / "run.jsonl").splitlines():
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


def _claim(folder: StoragePath, configuration: Mapping[str, Any], grows: str | None) -> None:
    path = folder / "config.yaml"
    wanted = _identity(configuration)
    if path.exists():
        try:
            held = yaml.safe_load(read_text(path))
        except yaml.YAMLError as error:
            raise SyncxrError(f"{path} is damaged; restore it or choose another folder") from error
        identity = _identity(held or {})
        grown = _grown(identity, wanted, grows) if grows else None
        difference = _difference(grown or identity, wanted)
        if difference:
            raise SyncxrError(
                f"{folder} holds a run with another configuration ({'; '.join(difference)}); "
                "choose another folder or restore these values"
            )
        if not grown:
            return
    text = yaml.safe_dump(json.loads(json.dumps(configuration)), sort_keys=False)
    write_text(path, text)


def _give_back(folder: StoragePath) -> None:
    """Forget the configuration of a run that made nothing: mended input makes another one."""
    if isinstance(folder, Path):
        made = {path.name for path in folder.rglob("*") if path.is_file()}
        if made <= {"config.yaml", "run.jsonl", ".lock"}:
            (folder / "config.yaml").unlink(missing_ok=True)


def _grown(held: Mapping[str, Any], wanted: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """What is held with the number at ``key`` raised to the wanted one; None if it is no raise."""
    *parents, last = key.split(".")
    copy: dict[str, Any] = json.loads(json.dumps(held))
    inner, target = copy, wanted
    for parent in parents:
        inner, target = inner.get(parent, {}), target[parent]
    if not isinstance(inner.get(last), int) or inner[last] > target[last]:
        return None
    inner[last] = target[last]
    return copy


def _identity(configuration: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(json.dumps(configuration))
    kept.pop("execution", None)
    return kept


def _difference(held: Mapping[str, Any], wanted: Mapping[str, Any], path: str = "") -> list[str]:
    """Lines such as ``writer.temperature: 1.0 there, 0.7 here``."""
    lines = []
    for key in sorted({*held, *wanted}):
        a, b = held.get(key), wanted.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            lines += _difference(a, b, f"{path}{key}.")
        elif a != b:
            lines.append(f"{path}{key}: {a!r} there, {b!r} here")
    return lines
