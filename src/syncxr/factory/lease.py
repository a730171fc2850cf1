"""The right to write to a run folder, where the storage has no locks: object storage.

A lease is a small file with a number. Numbers are taken by writes that fail where something is
already (create-only; S3 has them as ``If-None-Match: *``), so that of two comers one wins; the
holder of the highest number holds the folder. It writes its file anew every few seconds. One that
stops doing so, because it was killed or cut off, is passed by taking the next number. Whether it
has stopped is seen by watching the file, so that no two clocks need agree.
"""

from __future__ import annotations

import _thread
import json
import os
import platform
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from syncxr.dataset.files import read_text
from syncxr.dataset.storage import StoragePath, make_folder
from syncxr.errors import SyncxrError

BEAT = 5.0
"""Seconds between two signs of life."""
EXPIRY = 30.0
"""Seconds without one after which a holder is held to be gone."""


class Lease:
    """Holds a folder from :meth:`acquire` to :meth:`release`.

    Args:
        folder: Where lease files lie; of no other use.

    Attributes:
        lost: Whether another process has taken the folder, because this one was cut off from the
            storage for too long. The main thread is then interrupted.
    """

    def __init__(self, folder: StoragePath) -> None:
        self._folder = folder
        self._number = -1
        self._beats = 0
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lease", daemon=True)
        self.lost = False

    def acquire(self) -> None:
        """Take the folder.

        Raises:
            SyncxrError: Another process holds it.
        """
        make_folder(self._folder)
        number, holder = self._highest()
        if holder is not None:
            self._await_end(number, holder)
        self._number = number + 1
        taken = _create(self._path(self._number), self._sign())
        # The listing may have been of a moment between two holders.
        if not taken or self._highest()[0] != self._number:
            raise SyncxrError(_in_use(self._folder.parent, "another run that began just now"))
        if number >= 0:
            self._path(number).unlink(missing_ok=True)
        _listen()
        self._heart.start()

    def release(self) -> None:
        """Give the folder up."""
        self._ended.set()
        self._heart.join()
        if not self.lost:
            # A storage that is away keeps the lease of a process that is gone: see _await_end.
            with suppress(Exception):
                self._path(self._number).unlink(missing_ok=True)

    def _await_end(self, number: int, holder: str) -> None:
        """Return when the holder is known to be gone."""
        signed = _read_sign(holder)
        if signed.get("machine") == _machine() and not _alive(signed.get("process", -1)):
            return
        seen = time.monotonic()
        while time.monotonic() - seen < EXPIRY:
            time.sleep(BEAT / 5)
            now, sign = self._highest()
            if sign is None:
                return
            if (now, sign) != (number, holder):
                machine = str(signed.get("machine")).partition(" ")[0]
                who = f"process {signed.get('process')} on {machine}"
                raise SyncxrError(_in_use(self._folder.parent, who))

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            # A storage that does not answer is asked again at the next beat.
            with suppress(Exception):
                number, sign = self._highest()
                if number != self._number or sign is None:
                    self.lost = True
                    _interrupt_main_thread()
                    return
                self._beats += 1
                with self._path(number).open("w") as stream:
                    stream.write(self._sign())

    def _highest(self) -> tuple[int, str | None]:
        """The highest number with what its file says; (-1, None) where there is none."""
        numbers = [int(path.name.partition(".")[0]) for path in self._folder.glob("*.json")]
        if not numbers:
            return -1, None
        try:
            return max(numbers), read_text(self._path(max(numbers)))
        except FileNotFoundError:
            return -1, None  # given up just now

    def _path(self, number: int) -> StoragePath:
        return self._folder / f"{number:08d}.json"

    def _sign(self) -> str:
        return json.dumps({"machine": _machine(), "process": os.getpid(), "beat": self._beats})


def _listen() -> None:
    """Let the heart interrupt the main thread.

    Not by SIGINT: a shell starts what it puts into the background with that one ignored.
    """
    if hasattr(signal, "SIGUSR1") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, signal.default_int_handler)


def _interrupt_main_thread() -> None:
    """As Ctrl-C would, also where it waits for a lock or a server."""
    if hasattr(signal, "SIGUSR1"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    else:
        _thread.interrupt_main()


def _in_use(folder: StoragePath, by: str) -> str:
    return f"{folder} is in use by {by}; wait for it or choose another folder"


def _create(path: StoragePath, text: str) -> bool:
    """Write a file that is not there yet; of several comers, one succeeds."""
    try:
        if isinstance(path, Path):
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text)
        else:
            path.fs.pipe_file(path.path, text.encode(), mode="create")
    except FileExistsError:
        return False
    return True


def _machine() -> str:
    """Name of the machine, and of the container where there is one: where process ids count."""
    with suppress(OSError):
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    return platform.node()


def _alive(process: int) -> bool:
    if os.name != "posix":
        return True  # Elsewhere signal 0 does more than ask.
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read_sign(text: str) -> dict[str, Any]:
    try:
        signed = json.loads(text)
    except json.JSONDecodeError:
        return {}  # its holder is about to write it
    return signed if isinstance(signed, dict) else {}
