"""Findings of bones and soft tissue.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other rooms of findings.
"""

from syncxr.images.simulation.findings.bone.air import SubcutaneousEmphysema
from syncxr.images.simulation.findings.bone.folds import SkinFold
from syncxr.images.simulation.findings.bone.fractures import FRACTURES
from syncxr.images.simulation.findings.bone.osteopenia import Osteopenia
from syncxr.images.simulation.findings.bone.spine import SPINE
from syncxr.images.simulation.findings.finding import Finding

BONE: tuple[Finding, ...] = (*SPINE, Osteopenia(), *FRACTURES, SubcutaneousEmphysema(), SkinFold())
"""In the order of insertion: curvature and density first."""

__all__ = ["BONE"]
