"""When a run pauses or ends before its last step: signals and time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType


class Moment(IntEnum):
    """What is to be done after a step; where processes differ, the greatest counts."""

    GO_ON = 0
    SAVE = 1
    OUT_OF_TIME = 2
    ASKED_TO_STOP = 3


class Watch:
    """Tells after each step what to do.

    Args:
        minutes: Time limit of the run, all its parts together.
        save_every: Seconds between checkpoints.
        earlier: Seconds that earlier parts of the run took.
    """

    def __init__(self, minutes: float | None, save_every: float, earlier: float) -> None:
        self._limit = 60 * minutes if minutes is not None else float("inf")
        self._save_every = save_every
        self._start = time.monotonic() - earlier
        self._saved = time.monotonic()
        self.asked = False

    @property
    def seconds(self) -> float:
        """Training time so far, earlier parts of the run included."""
        return time.monotonic() - self._start

    def moment(self) -> Moment:
        """What is to be done now."""
        if self.asked:
            return Moment.ASKED_TO_STOP
        if self.seconds >= self._limit:
            return Moment.OUT_OF_TIME
        due = time.monotonic() - self._saved >= self._save_every
        return Moment.SAVE if due else Moment.GO_ON

    def saved(self) -> None:
        """A checkpoint was just written."""
        self._saved = time.monotonic()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM and Ctrl-C as a wish to stop after the step; a second one stops at once.

        Only the main thread gets signals; elsewhere they stay as they are.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def ask(number: int, frame: FrameType | None) -> None:
            self.asked = True
            for one, handler in before.items():
                signal.signal(one, handler)

        for number in before:
            signal.signal(number, ask)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
