"""Findings of the heart and the mediastinum.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other rooms of findings.
"""

from syncxr.images.simulation.findings.finding import Finding
from syncxr.images.simulation.findings.heart.aorta import AORTA
from syncxr.images.simulation.findings.heart.calcium import CALCIUM_OF_THE_HEART
from syncxr.images.simulation.findings.heart.cardiomegaly import Cardiomegaly
from syncxr.images.simulation.findings.heart.hila import HILA
from syncxr.images.simulation.findings.heart.mediastinum import MEDIASTINUM
from syncxr.images.simulation.findings.heart.pericardium import PERICARDIUM

HEART: tuple[Finding, ...] = (
    Cardiomegaly(),
    *AORTA,
    *MEDIASTINUM,
    *HILA,
    *PERICARDIUM,
    *CALCIUM_OF_THE_HEART,
)
"""In the order of insertion: what shapes the whole first, what is small last."""

__all__ = ["HEART"]
