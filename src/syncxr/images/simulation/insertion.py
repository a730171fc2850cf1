"""Putting findings into a body, with the record of what each of them added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.anatomy import Patient, combined
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import FINDINGS, Change
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity, derive_seed


@dataclass(frozen=True)
class Inserted:
    """One finding in a body.

    Attributes:
        change: What the finding says it did.
        water: What it added to each cell, g/cm³, (K, R, C); diminished by what later findings
            replaced. ``None`` if it left the cells' water alone.
        bone: The same for bone, volume share.
        perfusion: By what it multiplied the contrast of vessels in each cell; ``None`` if by
            nothing.
    """

    change: Change
    water: Floats | None
    bone: Floats | None
    perfusion: Floats | None = None


def insert(
    body: Body, findings: Sequence[Entity], seed: int, counts: Mapping[Entity, int]
) -> dict[Entity, Inserted]:
    """Put every finding into the body, each from a seed of its own; changes ``body``."""
    lung = body.lungs["left"] + body.lungs["right"]
    body.water += (body.patient.markings - 1.0) * lung * (body.water - 0.12).clip(0.0, 0.3)
    inserted = {}
    for entity in findings:
        # Concept and side only: a change of severity then keeps place and shape.
        stage = f"finding {entity.concept} {entity.location}"
        rng = np.random.default_rng(derive_seed(str(seed), stage, 0))
        body.count = counts.get(entity)
        water, bone = body.water.copy(), body.bone.copy()
        perfusion = None if body.perfusion is None else body.perfusion.copy()
        # A mirrored patient's left is the source's right.
        there = _mirrored(entity) if body.patient.mirrored else entity
        change = FINDINGS[entity.concept].insert(body, there, rng)
        if change.patient:
            body.asks = (*body.asks, change.patient)
            body.patient = body.asked()
        added = _added(body, body.water, water)
        inserted[entity] = Inserted(change, added, _bone(body, bone), _perfused(body, perfusion))
    return inserted


def patients_without(
    sampled: Patient, inserted: Mapping[Entity, Inserted]
) -> dict[Entity, Patient]:
    """For each finding that changes the patient as a whole: the patient as the others make it."""
    asks = {entity: one.change.patient for entity, one in inserted.items() if one.change.patient}
    return {
        gone: replace(sampled, **combined(sampled, [asks[e] for e in asks if e != gone]))
        for gone in asks
    }


def _added(body: Body, after: Floats, before: Floats) -> Floats | None:
    """Claimed like an extent, so that what a later finding replaces counts for that one."""
    if np.array_equal(after, before):
        return None
    return body.claim(after - before)


def _perfused(body: Body, before: Floats | None) -> Floats | None:
    if body.perfusion is None:
        return None
    if before is None:
        # Later findings multiply the body's own array in place.
        return body.perfusion.copy()
    return None if np.array_equal(body.perfusion, before) else body.perfusion / before


def _bone(body: Body, before: Floats) -> Floats | None:
    return None if np.array_equal(body.bone, before) else body.bone - before


def _mirrored(entity: Entity) -> Entity:
    """The same with left and right exchanged."""
    place = Location.parse(entity.location)
    sides = {"left": "right", "right": "left"}
    return replace(entity, location=str(Location(sides.get(place.side, place.side), place.zone)))
