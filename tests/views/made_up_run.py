"""A run folder with made-up figures and films: everything that the report can show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from syncxr.dataset.manifest import build_manifest, write_manifest
from syncxr.dataset.shards import commit_shard
from syncxr.entities.bank import Bank, BankEntry, place
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.plan import PlannedReport
from syncxr.entities.sampling import SamplingOptions, plan
from syncxr.sample import Category, Entity, Polarity, Sample

PAIRS, REJECTED = 40, 3
CONFIGURATION = """corpus: openi
sampling: {pairs: 43, k: 3, m: 1, tau_max: auto, normal_fraction: 0.3, seed: 0}
writer: {name: llamacpp}
renderer: {name: simulation}
judge: {name: inspector}
"""
_SHOWN = ("pleural effusion", "pneumothorax", "cardiomegaly", "consolidation", "nodule")


def write_run(run: Path) -> None:
    """Fill ``run`` as a finished run would be."""
    bank = _bank()
    options = SamplingOptions(pairs=PAIRS + REJECTED, k=3, m=1, tau_max="auto", normal_fraction=0.3)
    planned = plan(bank, options, lambda entity: entity.concept in _SHOWN)
    bank.write(run / "bank.parquet")
    planned.write(run / "plan.parquet")
    samples = [_sample(report, index) for index, report in enumerate(planned)]
    record = commit_shard(
        run,
        "films",
        0,
        {
            "dataset/data/train-00000.parquet": samples[REJECTED:],
            "rejected/films-00000.parquet": samples[:REJECTED],
        },
        {"accepted": PAIRS},
    )
    write_manifest(build_manifest([record], "dataset", "c0ffee" * 8), run / "dataset")
    (run / "config.yaml").write_text(CONFIGURATION)
    (run / "summary.json").write_text(json.dumps(_summary()))
    (run / "checkpoint").mkdir()
    (run / "checkpoint" / "history.jsonl").write_text(
        "".join(json.dumps(epoch) + "\n" for epoch in _history(30))
    )


def _bank() -> Bank:
    lexicon = load_lexicon()
    rows: list[Entity] = []
    for concept in lexicon.concepts.values():
        rows += [concept.entity(Polarity.PRESENT), concept.entity(Polarity.ABSENT)]
    rows += [lexicon.concepts[n].entity(Polarity.PRESENT, "", "mild") for n in _SHOWN]
    rows += [Entity(name, Category.ANATOMY, Polarity.ABSENT) for name in lexicon.anatomies]
    rows += [place(where) for where in lexicon.sites["lung"]]
    counts = np.ceil(3000 / np.arange(1, len(rows) + 1) ** 1.1)
    order = np.random.default_rng(0).permutation(len(rows))
    return Bank(BankEntry(rows[i], int(n)) for i, n in zip(order, counts, strict=True))


def _sample(report: PlannedReport, index: int) -> Sample:
    size = 96
    y, x = np.mgrid[:size, :size]
    film = 60 + 90 * (np.abs(x - size / 2) < 12) + (30 * y / size) + index % 7
    masks = {}
    for number, entity in enumerate(e for e in report.entities if e.polarity is Polarity.PRESENT):
        mask = (x - 28 - 40 * number) ** 2 + (y - 50) ** 2 < 130
        film = film + 60 * mask
        masks[str(entity)] = mask
    refused = {"attempts": [{"reasons": ["quality"]}, {"reasons": ["artefact_free", "fidelity"]}]}
    return Sample(
        id=report.id,
        entities=report.entities,
        findings=" ".join(f"{str(entity).capitalize()}." for entity in report.entities),
        impression=f"{str(report.entities[0]).capitalize()} <b>&</b>.",
        image=np.clip(film, 0, 255).astype(np.uint8),
        masks=masks,
        provenance={"film": refused},
    )


def _rate(n: int, hits: int) -> dict[str, Any]:
    return {"n": n, "hits": hits, "share": hits / n, "low": hits / n - 0.03, "high": hits / n}


def _summary() -> dict[str, Any]:
    rows = [
        {"finding": name, "auroc": value, "low": value - 0.08, "high": value + 0.07}
        | {"f1": 0.5, "accuracy": 0.8, "mcc": 0.4, "positives": 40, "negatives": 260}
        for name, value in zip(_SHOWN, (0.91, 0.74, 0.88, 0.66, 0.52), strict=True)
    ]
    rows[-1] |= {"auroc": None, "low": None, "high": None, "positives": 0}
    base = {"test_set": "held-out simulated films", "samples": 1000, "seed": 0, "films": 300}
    return {
        "generation": {
            "planned": PAIRS + REJECTED,
            "drafted": 47,
            "verified": PAIRS + REJECTED,
            "first_round_acceptance": 0.9302,
            "rendered": 51,
            "accepted": PAIRS,
            "rejected": {"drafts": 0, "films": REJECTED},
            "draft_reasons": {"findings lack a planned statement": 3, "impression is too long": 1},
            "film_reasons": {"quality": 6, "artefact_free": 3, "finding_not_shown": 2},
        },
        "faithfulness": {
            "films": PAIRS,
            "positives": _rate(51, 50),
            "negatives": _rate(104, 104),
            "negatives_measured": _rate(61, 61),
            "by_concept": {name: _rate(10, 9) for name in _SHOWN},
            "failures": [{"seed": 12, "statement": "mild nodule", "detail": "contrast 0.4"}],
        },
        "pretraining": {"pairs": 40, "training": 36, "validation": 4, "epochs": 30}
        | {"train_loss": 1.2, "finished": True},
        "evaluation": {
            "classification": base
            | {"title": "Zero-shot classification", "prompt_set": "plain", "units": "300 films"}
            | {"rows": rows, "mean": 0.797, "low": 0.76, "high": 0.83}
            | {"left_out": {"nodule": "no film shows it"}, "notes": ["One source CT."]},
            "grounding": base
            | {"mean": 0.41, "mean_chance": 0.06, "notes": []}
            | {
                "rows": [
                    {"finding": name, "hits": 16, "cases": 40, "rate": 0.4}
                    | {"low": 0.25, "high": 0.55, "chance": 0.06}
                    for name in _SHOWN
                ]
            },
        },
    }


def _history(epochs: int) -> list[dict[str, float]]:
    return [
        {
            "epoch": epoch,
            "train_loss": 3.4 * 0.93**epoch + 0.2,
            "validation_loss": 3.4 * 0.95**epoch + 0.6,
            "R@1": 0.4 * (1 - 0.9**epoch),
            "R@5": 0.7 * (1 - 0.9**epoch),
            "R@10": 0.9 * (1 - 0.9**epoch),
        }
        for epoch in range(1, epochs + 1)
    ]
