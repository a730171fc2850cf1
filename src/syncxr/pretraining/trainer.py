"""One pre-training run: from pairs to a checkpoint, resumable, the same bits each time on a CPU."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from syncxr import __version__
from syncxr.dataset.files import write_text
from syncxr.errors import SyncxrError
from syncxr.pretraining import METHODS
from syncxr.pretraining.augmentation import augment
from syncxr.pretraining.captions import candidates, pick
from syncxr.pretraining.checkpoint import INDEX, describe, load_training, save
from syncxr.pretraining.encoders import (
    TextEncoder,
    Tokens,
    build_image_encoder,
    build_text_encoder,
)
from syncxr.pretraining.model import DualEncoder, as_pixels
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.pairs import Pair, Pairs
from syncxr.pretraining.retrieval import recalls
from syncxr.pretraining.schedule import exhausted, rate
from syncxr.progress import Bar, bar
from syncxr.registry import build
from syncxr.sample import derive_seed
from syncxr.threads import torch_threads

HISTORY = "history.jsonl"
"""One JSON object an epoch: losses, retrieval, rate, films a second."""

_NOT_DECISIVE = {"minutes", "save_every"}
"""Options that may change between the parts of a run without changing its weights."""


@dataclass(frozen=True)
class PretrainingSummary:
    """What came of a run.

    Attributes:
        folder: Checkpoint folder.
        pairs: Pairs given.
        training: Pairs trained on.
        validation: Pairs kept out.
        epochs: Epochs done, earlier parts of the run included.
        steps: Steps done.
        finished: False where the time limit ended it.
        seconds: Training time of all parts of the run.
        images_per_second: Over all parts of the run.
        train_loss: Mean of the last epoch.
        validation_loss: After the last epoch; NaN without validation pairs.
        retrieval: R@1, R@5, R@10 among the validation pairs, film → text.
        truncated: Captions longer than the text encoder's limit.
        loaded: What each tower started from.
        data: Fingerprint of the pairs.
    """

    folder: str
    pairs: int
    training: int
    validation: int
    epochs: int
    steps: int
    finished: bool
    seconds: float
    images_per_second: float
    train_loss: float
    validation_loss: float
    retrieval: dict[str, float]
    truncated: int
    loaded: tuple[str, ...]
    data: str

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def pretrain(pairs: Pairs, options: PretrainingOptions, folder: Path) -> PretrainingSummary:
    """Train a dual encoder on ``pairs``; go on where an earlier run in ``folder`` stopped.

    Args:
        pairs: At least two batches' worth is sensible; at least one batch is needed.
        options: Settings.
        folder: Becomes the checkpoint.

    Raises:
        SyncxrError: Too few pairs, another run in the folder, or one with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SyncxrError(f"another run is training in {folder}; wait or name another") from error
    try:
        with torch_threads(options.threads), torch.random.fork_rng(devices=[]):
            return _Run(pairs, options, folder).go()
    finally:
        lock.release()


class _Corpus:
    """Pairs as the steps need them: films at training size, captions as token numbers."""

    def __init__(
        self, pairs: list[Pair], options: PretrainingOptions, text_encoder: TextEncoder
    ) -> None:
        self.ids = [pair.id for pair in pairs]
        self.films = options.preprocessing.stack(pair.image for pair in pairs)
        self.captions = [
            candidates(pair.findings, pair.impression, options.caption) for pair in pairs
        ]
        texts = {text for choices in self.captions for text in choices}
        self.tokens = {text: text_encoder.tokenise(text) for text in sorted(texts)}
        self.truncated = sum(
            len(row.ids) >= text_encoder.max_tokens for row in self.tokens.values()
        )
        self._collate = text_encoder.collate

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, rows: NDArray[np.int64], seed: int) -> tuple[Tensor, list[str]]:
        """Films and one caption each; the caption of a row depends on ``seed`` and the row."""
        texts = []
        for row in rows:
            generator = np.random.default_rng([seed, int(row)])
            texts.append(pick(self.captions[row], generator))
        return as_pixels(self.films[rows]), texts

    def tokenised(self, texts: list[str]) -> Tokens:
        return self._collate([self.tokens[text] for text in texts])


class _Run:
    """State of one call of :func:`pretrain`."""

    def __init__(self, pairs: Pairs, options: PretrainingOptions, folder: Path) -> None:
        self.options, self.folder, self.pairs = options, folder, pairs
        self.data = pairs.fingerprint()
        torch.manual_seed(derive_seed(str(options.seed), "pretraining start", 0))
        image_encoder, image_report = build_image_encoder(options.image_encoder)
        text_encoder, text_report = build_text_encoder(options.text_encoder)
        self.loaded = (str(image_report), str(text_report))
        method = build("method", METHODS, options.method)
        self.model = DualEncoder(image_encoder, text_encoder, method, options.preprocessing)
        sides: tuple[list[Pair], list[Pair]] = ([], [])
        for pair in pairs:
            sides[_kept_out(pair.id, options.validation_fraction)].append(pair)
        self.training, self.validation = (_Corpus(side, options, text_encoder) for side in sides)
        self.steps_per_epoch = len(self.training) // options.batch_size
        if self.steps_per_epoch == 0:
            raise SyncxrError(
                f"{len(self.training)} training pairs from {pairs.source} do not fill one batch "
                f"of {options.batch_size}; lower batch_size or give more pairs"
            )
        trainable = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = Adam(
            trainable,
            lr=options.learning_rate,
            betas=options.betas,
            weight_decay=options.weight_decay,
        )
        self.history: list[dict[str, Any]] = []

    def go(self) -> PretrainingSummary:
        self._resume()
        options = self.options
        total = options.epochs * self.steps_per_epoch
        start, saved = time.monotonic(), time.monotonic()
        earlier = self.seconds
        with bar("pre-training", total, done=len(self.history) * self.steps_per_epoch) as progress:
            while not self._finished() and not self._late():
                self._epoch(len(self.history), progress)
                self.history[-1]["seconds"] = earlier + time.monotonic() - start
                last = self._finished() or self._late()
                if last or time.monotonic() - saved >= options.save_every:
                    self._save()
                    saved = time.monotonic()
        return self._summary()

    @property
    def seconds(self) -> float:
        """Training time so far, earlier parts of the run included."""
        return float(self.history[-1]["seconds"]) if self.history else 0.0

    def _losses(self) -> list[float]:
        """Validation losses of the epochs so far."""
        return [epoch["validation_loss"] for epoch in self.history if "validation_loss" in epoch]

    def _finished(self) -> bool:
        stopped = exhausted(self._losses(), self.options.patience)
        return stopped or len(self.history) == self.options.epochs

    def _late(self) -> bool:
        limit = self.options.minutes
        return limit is not None and bool(self.history) and self.seconds >= 60 * limit

    def _epoch(self, epoch: int, progress: Bar) -> None:
        """One pass over the training pairs, then the validation."""
        options, model = self.options, self.model
        start = time.monotonic()
        order = np.random.default_rng(
            derive_seed(str(options.seed), "pretraining order", epoch)
        ).permutation(len(self.training))
        losses = []
        model.train()
        for index in range(self.steps_per_epoch):
            step = epoch * self.steps_per_epoch + index
            rows = order[index * options.batch_size : (index + 1) * options.batch_size]
            losses.append(self._step(step, rows))
            speed = (index + 1) * options.batch_size / (time.monotonic() - start)
            note = f"loss {np.mean(losses[-20:]):.3f}  {speed:.0f} films/s"
            progress.advance(note=note)
        seconds = time.monotonic() - start
        self.history.append(
            {
                "epoch": epoch + 1,
                "step": (epoch + 1) * self.steps_per_epoch,
                "train_loss": float(np.mean(losses)),
                "learning_rate": self.optimiser.param_groups[0]["lr"],
                "films_per_second": len(losses) * options.batch_size / seconds,
                **self._validate(),
            }
        )

    def _step(self, step: int, rows: NDArray[np.int64]) -> float:
        """One step; all that is random in it follows from the seed and the step's number."""
        options = self.options
        seed = derive_seed(str(options.seed), "pretraining step", step)
        torch.manual_seed(seed)  # dropout
        films, texts = self.training.batch(rows, seed)
        films = augment(films, options.augmentation, torch.Generator().manual_seed(seed))
        films = films.contiguous(memory_format=torch.channels_last)
        for group in self.optimiser.param_groups:
            group["lr"] = options.learning_rate * rate(
                options.schedule,
                step,
                options.epochs * self.steps_per_epoch,
                options.warmup,
                self._losses(),
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.model.loss(films, self.training.tokenised(texts))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise SyncxrError(f"the loss is {value} at step {step}; lower learning_rate")
        loss.backward()  # type: ignore[no-untyped-call]
        if step == 0:
            self._check_gradients()
        if options.clip is not None:
            clip_grad_norm_(self.model.parameters(), options.clip)
        self.optimiser.step()
        return value

    def _check_gradients(self) -> None:
        """A tower that is cut off from the loss would look as if it trained."""
        deaf = [
            name
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad and parameter.grad is None
        ]
        if deaf:
            raise SyncxrError(
                f"{len(deaf)} parameters get no gradient, the first {deaf[0]}; "
                "choose another encoder or freeze them"
            )

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        """Loss over fixed batches and captions, and retrieval among all validation pairs."""
        corpus, model = self.validation, self.model.eval()
        if not len(corpus):
            return {}
        seed = derive_seed(str(self.options.seed), "pretraining validation", 0)
        films, texts = corpus.batch(np.arange(len(corpus)), seed)
        total, images, words = 0.0, [], []
        for start in range(0, len(corpus), self.options.batch_size):
            rows = range(start, min(start + self.options.batch_size, len(corpus)))
            seen = model.image_encoder(films[rows.start : rows.stop])
            read = model.text_encoder(corpus.tokenised([texts[row] for row in rows]))
            total += len(rows) * float(model.method.loss(seen, read))
            images.append(model.method.embed_images(seen))
            words.append(model.method.embed_texts(read))
        right = np.array([[own == other for other in texts] for own in texts])
        found = recalls((torch.cat(images) @ torch.cat(words).T).numpy(), right)
        return {"validation_loss": total / len(corpus), **found}

    def _identity(self) -> dict[str, Any]:
        """What must be the same for one run to go on from another."""
        settings = self.options.model_dump(mode="json", exclude=_NOT_DECISIVE)
        return {**settings, "data": self.data, "code": __version__}

    def _save(self) -> None:
        training = None
        if not self._finished():
            training = {
                "optimiser": self.optimiser.state_dict(),
                "history": json.dumps(self.history),
            }
        write_text(self.folder / HISTORY, "".join(json.dumps(line) + "\n" for line in self.history))
        save(
            self.folder,
            self.model,
            self.options.method,
            data=self.data,
            steps=len(self.history) * self.steps_per_epoch,
            record={
                "identity": self._identity(),
                "loaded": list(self.loaded),
                "pairs": self.pairs.source,
                "threads": torch.get_num_threads(),
                "torch": torch.__version__,
            },
            training=training,
        )

    def _resume(self) -> None:
        """Take over the state of an unfinished run with the same settings."""
        if not (self.folder / INDEX).exists():
            return
        checkpoint = describe(self.folder)
        before, now = checkpoint.record.get("identity", {}), self._identity()
        changed = [key for key in now if before.get(key) != now[key]]
        if changed:
            key = changed[0]
            raise SyncxrError(
                f"{self.folder} was trained with {key} = {_short(before.get(key))}, not "
                f"{_short(now[key])}; name another folder"
            )
        self.model.load_state_dict(load_file(self.folder / checkpoint.weights))
        if checkpoint.training is None:
            lines = (self.folder / HISTORY).read_text("utf-8").splitlines()
            self.history = [json.loads(line) for line in lines]
            return
        state = load_training(self.folder, checkpoint)
        self.optimiser.load_state_dict(state["optimiser"])
        self.history = json.loads(state["history"])

    def _summary(self) -> PretrainingSummary:
        last, steps = self.history[-1], len(self.history) * self.steps_per_epoch
        return PretrainingSummary(
            folder=str(self.folder),
            pairs=len(self.pairs),
            training=len(self.training),
            validation=len(self.validation),
            epochs=len(self.history),
            steps=steps,
            finished=self._finished(),
            seconds=self.seconds,
            images_per_second=steps * self.options.batch_size / self.seconds,
            train_loss=last["train_loss"],
            validation_loss=last.get("validation_loss", math.nan),
            retrieval={key: last[key] for key in last if key.startswith("R@")},
            truncated=self.training.truncated + self.validation.truncated,
            loaded=self.loaded,
            data=self.data,
        )


def _kept_out(id: str, fraction: float) -> bool:
    """Whether a pair belongs to the validation side; adding pairs moves none across."""
    return derive_seed(id, "pretraining validation", 0) < fraction * 2**63


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "…"
