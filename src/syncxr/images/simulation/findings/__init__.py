"""What can be wrong in a chest: each finding changes the body and says where.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other findings.
"""

from syncxr.images.simulation.findings.cardiomegaly import Cardiomegaly
from syncxr.images.simulation.findings.effusion import Effusion
from syncxr.images.simulation.findings.finding import Change, Finding, Sphere
from syncxr.images.simulation.findings.nodule import Nodule
from syncxr.images.simulation.findings.opacity import Consolidation, Opacity
from syncxr.images.simulation.findings.pneumothorax import Pneumothorax

FINDINGS: dict[str, Finding] = {
    finding.concept: finding
    for finding in (
        # In the order of insertion: what lies in the lung first, what displaces it afterwards.
        Cardiomegaly(),
        Consolidation(),
        Opacity(),
        Nodule(),
        Effusion(),
        Pneumothorax(),
    )
}
"""Concept of the lexicon to the finding that draws it."""

__all__ = ["FINDINGS", "Change", "Finding", "Sphere"]
