"""Scores of segmented films: Dice over all films and over those that show the finding."""

from __future__ import annotations

import hashlib

import numpy as np

from syncxr.evaluation.finetuning.segmentation import Overlap
from syncxr.evaluation.metrics.bootstrap import Resamples, totals
from syncxr.evaluation.scoring.predictions import split_name, unit_words
from syncxr.evaluation.scoring.results import NAN
from syncxr.evaluation.scoring.sheet import About, Scored, Sheet
from syncxr.evaluation.testsets.test_set import TestSet

TASK = "fine-tuned segmentation"


def score_masks(
    found: Overlap,
    test_set: TestSet,
    target: str,
    about: About,
    *,
    protocol: str,
    threshold: float,
    samples: int = 1000,
    seed: int = 0,
) -> Scored:
    """Mean Dice over all films (empty on empty is 1), and mean Dice and IoU over positive films.

    Where most films are empty the first is mostly about calling nothing: the others stand beside
    it for that reason.

    Args:
        found: Of the films of ``test_set``, in its order.
        test_set: Drawn films only.
        target: What was segmented.
        about: What the rows say beside it.
        protocol: As :attr:`Result.protocol`.
        threshold: Where probabilities were cut.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.
    """
    resamples = Resamples(test_set.units, samples, seed)
    positive = found.true > 0
    place = {"test_set": test_set.name, "split": split_name(test_set)}
    sheet = Sheet(about, place, samples=samples, seed=seed)
    everywhere = np.ones(len(positive), bool)
    for metric, values, counted in (
        ("Dice", found.dice, everywhere),
        ("Dice of positives", found.dice, positive),
        ("IoU of positives", found.iou, positive),
    ):
        table = np.stack([counted, values * counted], 1).astype(np.float64)
        (sums,) = resamples.draw([totals(table, resamples.members, resamples.units)])
        number = int(counted.sum())
        sheet.add(
            target,
            protocol,
            metric,
            float(values[counted].mean()) if number else NAN,
            np.where(sums[:, 0] > 0, sums[:, 1] / np.maximum(sums[:, 0], 1), np.nan),
            n=number,
            positives=int(positive.sum()),
            units=unit_words(len(np.unique(resamples.members[counted])), test_set.by_patient),
            note="" if number else "no film shows it",
            threshold=threshold,
        )
    # Two towers may see films at other sizes: they are compared if the same films are positive.
    digest = hashlib.sha256("\n".join((*test_set.units, *(i.id for i in test_set.items))).encode())
    digest.update(positive.tobytes())
    return sheet.finish(
        digest.hexdigest(),
        n=len(positive),
        units=unit_words(resamples.units, test_set.by_patient),
    )
