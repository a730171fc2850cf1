"""What can be wrong in a chest: each finding changes the body and says where.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other findings.
"""

from syncxr.images.simulation.findings.bone import BONE
from syncxr.images.simulation.findings.devices import DEVICES
from syncxr.images.simulation.findings.finding import Change, Finding
from syncxr.images.simulation.findings.heart import HEART
from syncxr.images.simulation.findings.lung import LUNG
from syncxr.images.simulation.findings.pleura import PLEURA

# In the order of insertion: what shapes the whole first, then what lies in the lung, then what
# takes its room; devices, which change no tissue, at the end.
_ALL: tuple[Finding, ...] = (
    *HEART,
    *BONE,
    *LUNG,
    *PLEURA,
    *DEVICES,
)

FINDINGS: dict[str, Finding] = {finding.concept: finding for finding in _ALL}
"""Concept of the lexicon to the finding that draws it, in the order of insertion."""

__all__ = ["FINDINGS", "Change", "Finding"]
