"""What can be wrong in a chest: each finding changes the body and says where.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other findings.
"""

from syncxr.images.simulation.findings.finding import Change, Finding, Sphere
from syncxr.images.simulation.findings.heart.cardiomegaly import Cardiomegaly
from syncxr.images.simulation.findings.lung.atelectasis import Atelectasis
from syncxr.images.simulation.findings.lung.edema import Edema
from syncxr.images.simulation.findings.lung.mass import Mass
from syncxr.images.simulation.findings.lung.nodule import NODULES
from syncxr.images.simulation.findings.lung.opacity import AIRSPACE
from syncxr.images.simulation.findings.pleura.effusion import BLUNTING, Effusion
from syncxr.images.simulation.findings.pleura.pneumothorax import Pneumothorax

# In the order of insertion: what lies in the lung first, what displaces it afterwards.
_ALL: tuple[Finding, ...] = (
    Cardiomegaly(),
    Edema(),
    *AIRSPACE,
    Atelectasis(),
    Mass(),
    *NODULES,
    Effusion("costophrenic angle blunting", BLUNTING),
    Effusion(),
    Pneumothorax(),
)

FINDINGS: dict[str, Finding] = {finding.concept: finding for finding in _ALL}
"""Concept of the lexicon to the finding that draws it, in the order of insertion."""

__all__ = ["FINDINGS", "Change", "Finding", "Sphere"]
