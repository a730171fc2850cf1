"""One patient: every number that makes a body of its own of the source."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

from syncxr.images.simulation.thorax import SOURCE

Sex = Literal["female", "male"]


@dataclass(frozen=True)
class Patient:
    """One patient; the defaults are the source body, changed by nothing.

    Attributes:
        anatomy: Source body: the shipped ``"lidc"`` or an added one, with its fingerprint.
        age: Years; a tendency behind other fields, not seen by itself.
        sex: As ``age``.
        size: Scale of the body.
        breadth: Width over height, 1 = as in the source.
        depth: Front-to-back scale of the chest.
        lung_volume: Height of the lungs, 1 = as in the source: the diaphragm moves against it, and
            the ribs rise or fall along.
        heart_ratio: Heart width over inner chest width as seen on the film. Of an enlarged heart:
            that of the whole cardiac shadow, fluid round the heart included.
        pericardial_fluid: Layer round an enlarged heart, mm, that is a part of its shadow.
        heart_position: Where the heart lies against the source, mm to the patient's left.
        heart_axis: Turn of the heart in the frontal plane, degrees; positive = more upright.
        left_dome: Rise of the left hemidiaphragm, mm.
        right_dome: Rise of the right hemidiaphragm, mm.
        mediastinum: Width of the upper mediastinum, 1 = as in the source.
        shift: Of heart and mediastinum to the patient's left, mm; the chest wall stays.
        upper_shift: Further shift of trachea and upper mediastinum alone, mm to the left.
        left_hilum: Width of the left hilum's structures, 1 = as in the source.
        right_hilum: The same on the right.
        aorta_width: Calibre of the thoracic aorta, 1 = as in the source.
        aorta_tortuosity: Unfolding: bow of the descending aorta to the left and, by half of that,
            of the ascending one to the right, and rise of the arch, mm.
        scoliosis: Sideways bow of the trunk, mm.
        kyphosis: Backward bow of the spine, mm; the upper chest leans forward.
        rib_slope: Fall of the front of the chest, mm a mm.
        bone_density: Mineral content, 1 = as in the source.
        markings: Contrast of vessels in the lung, 1 = as in the source.
        vessels: Which tree of lung vessels (``vessels.tree``).
        scapulae: Turn of the shoulder blades inwards over the lungs, degrees; 0 = as on a usual
            PA film, clear of most of them.
        soft_tissue: Further soft tissue before the chest, cm.
        breasts: Thickness of the breasts, cm; 0 = none.
        breast_size: Radius of the breasts, mm.
        mirrored: Situs inversus: heart, stomach and all on the other side (dextrocardia);
            the sides of all other fields are then those of the source, not of the patient.
        wobble: Amplitudes of a smooth random deformation, mm, (2, 3, 3, 2).
    """

    anatomy: str = SOURCE
    age: float = 55.0
    sex: Sex = "male"
    size: float = 1.0
    breadth: float = 1.0
    depth: float = 1.0
    lung_volume: float = 1.0
    heart_ratio: float = 0.45
    pericardial_fluid: float = 0.0
    heart_position: float = 0.0
    heart_axis: float = 0.0
    left_dome: float = 0.0
    right_dome: float = 0.0
    mediastinum: float = 1.0
    shift: float = 0.0
    upper_shift: float = 0.0
    left_hilum: float = 1.0
    right_hilum: float = 1.0
    aorta_width: float = 1.0
    aorta_tortuosity: float = 0.0
    scoliosis: float = 0.0
    kyphosis: float = 0.0
    rib_slope: float = 0.0
    bone_density: float = 1.0
    markings: float = 1.0
    vessels: int = 0
    scapulae: float = 0.0
    soft_tissue: float = 0.0
    breasts: float = 0.0
    breast_size: float = 65.0
    mirrored: bool = False
    wobble: tuple[float, ...] = field(default=(0.0,) * 36)

    def to_dict(self) -> dict[str, float | str | bool | tuple[float, ...]]:
        """As JSON values."""
        return asdict(self)
