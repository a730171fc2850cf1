"""A trained model as a folder that needs nothing else: tensors, settings, tokenizer.

``checkpoint.json`` names the tensor files by their hash and is replaced last, in one rename, so the
folder always holds one whole checkpoint, the old one or the new.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from syncxr import __version__
from syncxr.dataset.files import atomic, sha256, write_text
from syncxr.errors import SyncxrError
from syncxr.pretraining import METHODS
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.encoders.text import TextEncoder
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.registry import BackendSpec, build

INDEX = "checkpoint.json"
"""The file that makes a folder a checkpoint."""

_TEXT = "text_encoder"


class Checkpoint(BaseModel):
    """What ``checkpoint.json`` says.

    Attributes:
        method: Name and options of the method.
        image_encoder: timm name.
        text_encoder: Frozen layers, token limit and summed layers; the network itself is in the
            folder ``text_encoder``.
        preprocessing: How films are prepared.
        weights: File with the tensors of both towers and the method.
        weights_sha256: Its hash.
        training: File with the state of the optimiser, while a run is unfinished.
        steps: Steps of the run so far; the weights may be of an earlier one (``keep: best``).
        data: Fingerprint of the data (:class:`syncxr.pretraining.data.opening.Data`).
        record: How the run was made, see :func:`syncxr.pretraining.training.record.make_record`.
        code: Version of syncxr.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: BackendSpec
    image_encoder: str
    text_encoder: dict[str, int]
    preprocessing: Preprocessing
    weights: str
    weights_sha256: str
    training: str | None
    steps: int
    data: str
    record: dict[str, Any]
    code: str = __version__


def save(
    folder: Path,
    model: DualEncoder,
    method: BackendSpec,
    *,
    data: str,
    steps: int,
    record: dict[str, Any],
    tensors: Mapping[str, Tensor] | None = None,
    training: dict[str, Any] | None = None,
) -> Checkpoint:
    """Write a checkpoint so that a kill at any moment leaves a whole one.

    Args:
        folder: Where it lies; made if it is not there.
        model: What to keep.
        method: Name and options the model's method was made from.
        data: Fingerprint of the pairs.
        steps: Training steps behind it.
        record: JSON values about the run.
        tensors: Values that take the place of the model's own (averaged, or of an earlier epoch).
        training: State to go on from (tensors and plain values), or None at the end.
    """
    text = folder / _TEXT
    if not text.exists():
        # Renamed when it is whole: a kill in between leaves nothing that looks finished.
        partial_text = folder / f".{_TEXT}.partial"
        shutil.rmtree(partial_text, ignore_errors=True)
        model.text_encoder.tokenizer.save_pretrained(partial_text)
        model.text_encoder.network.config.save_pretrained(partial_text)
        partial_text.rename(text)
    weights = folder / f"weights-{steps:07d}.safetensors"
    with atomic(weights) as partial:
        # save_file would give the file to this user only.
        values = {**model.state_dict(), **(tensors or {})}
        partial.write_bytes(serialise({key: value.contiguous() for key, value in values.items()}))
    state = folder / f"training-{steps:07d}.pt"
    if training is not None:
        with atomic(state) as partial:
            torch.save(training, partial)
    checkpoint = Checkpoint(
        method=method,
        image_encoder=model.image_encoder.name,
        text_encoder={
            "frozen_layers": model.text_encoder.frozen_layers,
            "max_tokens": model.text_encoder.max_tokens,
            "last_layers": model.text_encoder.last_layers,
        },
        preprocessing=model.preprocessing,
        weights=weights.name,
        weights_sha256=sha256(weights),
        training=state.name if training is not None else None,
        steps=steps,
        data=data,
        record=record,
    )
    write_text(folder / INDEX, checkpoint.model_dump_json(indent=2) + "\n")
    for stale in [*folder.glob("weights-*.safetensors"), *folder.glob("training-*.pt")]:
        if stale.name not in (checkpoint.weights, checkpoint.training):
            stale.unlink()
    return checkpoint


def describe(folder: Path) -> Checkpoint:
    """What a checkpoint folder holds, without loading the tensors.

    Raises:
        SyncxrError: No checkpoint there, or one that cannot be read.
    """
    path = folder / INDEX
    try:
        return Checkpoint.model_validate(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise SyncxrError(
            f"{folder} holds no checkpoint ({INDEX} is missing); give the folder that "
            "`syncxr pretrain` wrote"
        ) from error
    except (ValueError, ValidationError) as error:
        raise SyncxrError(f"{path} is damaged or of another version; train again") from error


def load(folder: Path | str, device: str | None = None) -> DualEncoder:
    """The model in a checkpoint folder, ready to use.

    Args:
        folder: As ``syncxr pretrain`` wrote it.
        device: Where it works, e.g. ``"cuda:1"``; ``None`` = a GPU if there is one.

    Raises:
        SyncxrError: No checkpoint there, a damaged file, or tensors that do not fit.
    """
    folder = Path(folder)
    checkpoint = describe(folder)
    tensors = load_weights(folder, checkpoint)
    config = transformers.AutoConfig.from_pretrained(folder / _TEXT)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / _TEXT)
    network = transformers.AutoModel.from_config(config)
    image_encoder = ImageEncoder(checkpoint.image_encoder)
    text_encoder = TextEncoder(network, tokenizer, **checkpoint.text_encoder)
    method = build("method", METHODS, checkpoint.method)
    model = DualEncoder(image_encoder, text_encoder, method, checkpoint.preprocessing)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        # The first line only says that something is wrong, the second begins to say what.
        reason = " ".join(str(error).splitlines()[1:2]).strip()[:120]
        raise SyncxrError(
            f"{folder / checkpoint.weights} does not fit the {checkpoint.method.name} model that "
            f"its checkpoint.json names ({reason}…); give a folder as `syncxr pretrain` wrote it"
        ) from error
    return model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def load_weights(folder: Path, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Tensors of both towers and the method.

    Raises:
        SyncxrError: The file is missing, or is not the one that was written.
    """
    weights = folder / checkpoint.weights
    if not weights.exists() or sha256(weights) != checkpoint.weights_sha256:
        raise SyncxrError(f"{weights} is missing or damaged; copy the folder again or train again")
    tensors: dict[str, Tensor] = load_file(weights)
    return tensors


def load_training(folder: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    """State of the optimiser of an unfinished run.

    Raises:
        SyncxrError: The run is finished, or its state is damaged.
    """
    if checkpoint.training is None:
        raise SyncxrError(f"the run in {folder} is finished; nothing to go on from")
    try:
        state: dict[str, Any] = torch.load(
            folder / checkpoint.training, weights_only=True, map_location="cpu"
        )
    except Exception as error:  # torch raises several kinds, none of them documented
        raise SyncxrError(
            f"{folder / checkpoint.training} is damaged; delete the folder and train again"
        ) from error
    return state
