"""Putting findings into a body, with the record of what each of them added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.anatomy import Patient
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
        before: The patient as earlier findings had made it.
    """

    change: Change
    water: Floats | None
    bone: Floats | None
    before: Patient


_MOVES = ("shift", "upper_shift", "left_dome", "right_dome")
"""Fields to which findings add, each to what earlier ones made of them; others are set anew."""


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
        # A mirrored patient's left is the source's right.
        there = _mirrored(entity) if body.patient.mirrored else entity
        before = body.patient
        change = FINDINGS[entity.concept].insert(body, there, rng)
        body.patient = replace(before, **change.patient)
        added = _added(body, body.water, water)
        inserted[entity] = Inserted(change, added, _bone(body, bone), before)
    return inserted


def patients_without(
    original: Patient, inserted: Mapping[Entity, Inserted]
) -> dict[Entity, Patient]:
    """For each finding that changes the patient as a whole: the patient as the others make it."""
    shaping = {entity: one for entity, one in inserted.items() if one.change.patient}
    made = {}
    for gone in shaping:
        patient = original
        for entity, one in shaping.items():
            if entity != gone:
                patient = replace(patient, **_shaped(patient, one))
        made[gone] = patient
    return made


def _shaped(patient: Patient, one: Inserted) -> dict[str, Any]:
    """What a finding makes of another patient than the one it met."""
    values = dict(one.change.patient)
    for name in _MOVES:
        if name in values:
            values[name] += getattr(patient, name) - getattr(one.before, name)
    return values


def _added(body: Body, after: Floats, before: Floats) -> Floats | None:
    """Claimed like an extent, so that what a later finding replaces counts for that one."""
    if np.array_equal(after, before):
        return None
    return body.claim(after - before)


def _bone(body: Body, before: Floats) -> Floats | None:
    return None if np.array_equal(body.bone, before) else body.bone - before


def _mirrored(entity: Entity) -> Entity:
    """The same with left and right exchanged."""
    place = Location.parse(entity.location)
    sides = {"left": "right", "right": "left"}
    return replace(entity, location=str(Location(sides.get(place.side, place.side), place.zone)))
