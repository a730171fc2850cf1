"""One pre-training run: from pairs to a checkpoint, resumable, the same bits each time on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from syncxr.errors import Stopped
from syncxr.factory.home import leave_terms
from syncxr.pretraining.checkpoint import save
from syncxr.pretraining.data.loader import Batch
from syncxr.pretraining.data.opening import open_data
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.data.telling import lines
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.average import copied
from syncxr.pretraining.training.console import Pace
from syncxr.pretraining.training.ending import Moment, Watch
from syncxr.pretraining.training.engine import agree, alone_in, start_engine
from syncxr.pretraining.training.record import make_record, unfinished
from syncxr.pretraining.training.reports import reporting
from syncxr.pretraining.training.schedule import exhausted
from syncxr.pretraining.training.start import build_model, steps_per_epoch, weights_fingerprint
from syncxr.pretraining.training.state import State, freeze, thaw, write_history
from syncxr.pretraining.training.step import Stepper
from syncxr.pretraining.training.summary import PretrainingSummary, summarise
from syncxr.pretraining.training.validation import validate
from syncxr.progress import console
from syncxr.threads import torch_threads


def pretrain(pairs: Pairs | None, options: PretrainingOptions, folder: Path) -> PretrainingSummary:
    """Train a dual encoder; go on where an earlier run in ``folder`` stopped.

    Args:
        pairs: What to train on, if not ``options.data.sources``; a batch's worth at least.
        options: Settings.
        folder: Becomes the checkpoint.

    Raises:
        SyncxrError: Too few pairs, another run in the folder, or one with other settings.
        Stopped: SIGTERM or Ctrl-C came; all is saved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (
        start_engine(options.precision, options.accumulation) as engine,
        alone_in(folder, engine),
        torch_threads(options.threads),
        torch.random.fork_rng(devices=[]),
    ):
        return Run(pairs, options, folder, engine).go()


class Run:
    """State of one call of :func:`pretrain`."""

    def __init__(
        self, pairs: Pairs | None, options: PretrainingOptions, folder: Path, engine: Any
    ) -> None:
        self.options, self.folder, self.engine = options, folder, engine
        with engine.local_main_process_first():  # which decodes what is not decoded yet
            self.data = open_data(options.data, options.preprocessing, pairs)
        if pairs is None and engine.is_main_process:
            console.print(*lines(self.data), sep="\n", highlight=False, markup=False)
            leave_terms(self.data.terms, folder)
        self.steps_per_epoch = steps_per_epoch(options, self.data, engine.num_processes)
        self.total = options.epochs * self.steps_per_epoch
        self.model, self.loaded = build_model(options)
        self.record = make_record(
            options,
            engine,
            start=weights_fingerprint(self.model),
            loaded=self.loaded,
            sources=self.data.record(),
        )
        self.stepper = Stepper(engine, self.model, options, self.total)
        self.state = State()
        self.best: dict[str, Tensor] = {}
        self.pace = Pace(options.batch_size * options.accumulation)

    def go(self) -> PretrainingSummary:
        """Train to the end, or until time is up.

        Raises:
            Stopped: A signal came; all is saved.
        """
        self._resume()
        self.watch = Watch(self.options.minutes, self.options.save_every, self.state.seconds)
        if self._finished():
            return self._summary()
        shown = reporting(
            self.options,
            self.folder,
            self.record["configuration"],
            total=self.total,
            done=self.steps,
            shown=self.engine.is_main_process,
        )
        with self.watch.listening(), shown as self.reports:
            moment = self._pause() if self.steps else Moment.GO_ON
            while not self._finished() and moment < Moment.OUT_OF_TIME:
                moment = self._epoch()
        if moment is Moment.ASKED_TO_STOP and not self._finished():
            raise Stopped(
                f"stopped after step {self.steps:,} of {self.total:,}; all is saved in "
                f"{self.folder}: run the same command again to go on"
            )
        return self._summary()

    @property
    def steps(self) -> int:
        """Steps done so far."""
        return len(self.state.history) * self.steps_per_epoch + len(self.state.losses)

    def _epoch(self) -> Moment:
        """The rest of the running epoch, or as much of it as there is time for."""
        self.pace.start()
        for batches in self._rest_of_epoch():
            taken = self.stepper.step(self.steps, batches, self.state.validation_losses)
            self.state.add(taken.loss, taken.truncated)
            rate, speed = self.stepper.learning_rate, self.pace.step()
            self.reports.step(self.steps, taken.loss, rate, speed)
            if len(self.state.losses) < self.steps_per_epoch:
                moment = self._pause()
                if moment >= Moment.OUT_OF_TIME:
                    return moment
        record = self._measure()
        self.state.close_epoch(record)
        if self.options.keep == "best" and self.state.best is record:
            self.best = self.stepper.worth_keeping()
        self.reports.epoch(record)
        return self._pause()

    def _rest_of_epoch(self) -> Iterator[list[Batch]]:
        """The batches of each step that the running epoch still has."""
        options, engine = self.options, self.engine
        batches = self.data.training.batches(
            options.seed,
            epoch=len(self.state.history),
            batch_size=options.batch_size,
            start=len(self.state.losses) * options.accumulation,
            rank=engine.process_index,
            world=engine.num_processes,
        )
        for _ in range(len(self.state.losses), self.steps_per_epoch):
            yield list(islice(batches, options.accumulation))

    def _pause(self) -> Moment:
        """See what is to be done after a step, and save what is to be kept."""
        moment = Moment(agree(self.engine, self.watch.moment()))
        if moment is Moment.OUT_OF_TIME and self.state.losses and not self.state.rest:
            self.state.rest = self._measure()
            self.reports.epoch(self.state.rest)
        if moment is not Moment.GO_ON or self._finished():
            self._save()
        return moment

    def _finished(self) -> bool:
        stopped = exhausted(self.state.validation_losses, self.options.patience)
        return stopped or len(self.state.history) == self.options.epochs

    def _measure(self) -> dict[str, Any]:
        """Figures of the running epoch, or of what was done of it."""
        state, options = self.state, self.options
        whole = len(state.losses) == self.steps_per_epoch
        epochs = len(state.history) + len(state.losses) / self.steps_per_epoch
        return {
            "epoch": round(epochs) if whole else round(epochs, 2),
            "step": self.steps,
            "train_loss": float(np.mean(state.losses)),
            "learning_rate": self.stepper.learning_rate,
            "films_per_second": self.pace.films_per_second,
            "truncated": state.truncated,
            **validate(
                self.engine, self.stepper, self.data.validation, options.seed, options.batch_size
            ),
            "seconds": self.watch.seconds,
        }

    def _save(self) -> None:
        self.state.seconds = self.watch.seconds
        self.watch.saved()
        if not self.engine.is_main_process:
            return
        write_history(self.folder, self.state)
        average = self.stepper.average.values if self.stepper.average else {}
        kept = self.best or average
        going_on = not self._finished()
        save(
            self.folder,
            self.model,
            self.options.method,
            data=self.data.fingerprint,
            steps=self.steps,
            record=self.record,
            tensors=kept,
            training=freeze(self.engine, self.state, self.stepper, kept) if going_on else None,
        )

    def _resume(self) -> None:
        """Take over the state of an earlier run with the same settings."""
        checkpoint = unfinished(self.folder, self.options, self.data.fingerprint)
        if checkpoint is None:
            return
        self.state, kept = thaw(self.engine, self.folder, checkpoint, self.stepper)
        if self.options.keep == "best" and self.state.history:
            self.best = {name: kept[name] for name in copied(self.model)}

    def _summary(self) -> PretrainingSummary:
        return summarise(
            self.options,
            self.folder,
            self.data,
            self.state,
            steps=self.steps,
            finished=self._finished(),
            loaded=self.loaded,
            configuration=self.record["configuration_sha256"],
        )
