"""What the model is worth on the pairs that were kept out."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch

from syncxr.pretraining.data.loader import Loader
from syncxr.pretraining.model import as_pixels
from syncxr.pretraining.training.retrieval import recalls
from syncxr.pretraining.training.step import Stepper


def validate(
    engine: Any, stepper: Stepper, kept_out: Loader, seed: int, batch_size: int
) -> dict[str, float]:
    """Loss over fixed batches and captions, and retrieval among all pairs; by the main process.

    Returns:
        ``validation_loss``, ``R@1``, ``R@5``, ``R@10``, the same in all processes; nothing where
        no pairs were kept out.
    """
    if not len(kept_out):
        return {}
    found: list[dict[str, float]] = [{}]
    if engine.is_main_process:
        found = [_validate(engine, stepper, kept_out, seed, batch_size)]
    if engine.num_processes > 1:
        torch.distributed.broadcast_object_list(found)
    return found[0]


@torch.inference_mode()
def _validate(
    engine: Any, stepper: Stepper, kept_out: Loader, seed: int, batch_size: int
) -> dict[str, float]:
    model = stepper.model.eval()
    total, images, words, texts = 0.0, [], [], []
    with stepper.average.in_place() if stepper.average else nullcontext():
        for batch in kept_out.in_order(seed, batch_size):
            films = as_pixels(batch.films).to(engine.device)
            with engine.autocast():
                tokens = model.text_encoder.tokens(batch.texts, films.device)
                seen, said = model.features(films, tokens)
            total += len(batch.texts) * float(model.method.loss(seen, said))
            images.append(model.method.embed_images(seen))
            words.append(model.method.embed_texts(said))
            texts += batch.texts
    _, said_by = np.unique(texts, return_inverse=True)
    found = recalls(torch.cat(images).cpu().numpy(), torch.cat(words).cpu().numpy(), said_by)
    return {"validation_loss": total / len(kept_out), **found}
