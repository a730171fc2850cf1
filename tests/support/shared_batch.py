"""One process of several that share a batch: its loss, the gradients after the exchange, a run.

    RANK=… WORLD_SIZE=2 LOCAL_RANK=… python shared_batch.py TEXT_ENCODER OUT METHOD…

Double precision, no dropout, batch normalisation by its stored statistics: what is left of a
difference between one process and two is the exchange.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from made_pairs import pairs

from syncxr.pretraining.options import (
    ImageEncoderOptions,
    PretrainingOptions,
    TextEncoderOptions,
)
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.pretraining.training.engine import prepare, start_engine
from syncxr.pretraining.training.run import pretrain
from syncxr.pretraining.training.start import build_model
from syncxr.registry import BackendSpec

TEXTS = [
    "no nodule",
    "there is a left bright patch .",
    "clear",
    "the film shows a nodule there and there",
    "a right patch",
    "there is no bright patch right or left . the film is clear",
]


def options(method: str, text_encoder: str) -> PretrainingOptions:
    """A run of seconds."""
    return PretrainingOptions(
        method=BackendSpec(name=method),
        image_encoder=ImageEncoderOptions(name="test_efficientnet", weights=""),
        text_encoder=TextEncoderOptions(model=text_encoder, max_tokens=32),
        preprocessing=Preprocessing(size=32),
        batch_size=8,
        epochs=2,
        threads=1,
    )


def loss_and_gradients(
    method: str, text_encoder: str, rank: int, world: int
) -> dict[str, torch.Tensor]:
    """Of the share of one process in a batch of six pairs."""
    with start_engine("no", 1) as engine:
        assert engine.num_processes == world
        model = build_model(options(method, text_encoder))[0].double().eval()
        films = torch.rand(6, 1, 64, 64, dtype=torch.double, generator=torch.manual_seed(1))
        share = slice(rank * 6 // world, (rank + 1) * 6 // world)
        tokens = model.text_encoder.tokens(TEXTS[share], engine.device)
        wrapped = prepare(engine, model)
        loss = wrapped(films[share], tokens)
        engine.backward(loss)
        found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        return {"loss": loss.detach(), **found}


def main() -> None:
    """Write what this process found."""
    text_encoder, folder, *methods = sys.argv[1:]
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    torch.set_num_threads(1)
    for method in methods:
        found = loss_and_gradients(method, text_encoder, rank, world)
        torch.save(found, Path(folder) / f"{method}-{rank}.pt")
    summary = pretrain(pairs(40), options("gloria", text_encoder), Path(folder) / "run")
    (Path(folder) / f"summary-{rank}.json").write_text(json.dumps(summary.to_dict()))


if __name__ == "__main__":
    main()
