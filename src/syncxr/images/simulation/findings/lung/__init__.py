"""Findings of the lung.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other rooms of findings.
"""

from syncxr.images.simulation.findings.finding import Finding
from syncxr.images.simulation.findings.lung.airways import AIRWAYS
from syncxr.images.simulation.findings.lung.atelectasis import Atelectasis
from syncxr.images.simulation.findings.lung.cavity import CAVITIES
from syncxr.images.simulation.findings.lung.collapse import Collapse
from syncxr.images.simulation.findings.lung.edema import EDEMAS
from syncxr.images.simulation.findings.lung.emphysema import AIRY
from syncxr.images.simulation.findings.lung.interstitial import RETICULAR
from syncxr.images.simulation.findings.lung.mass import MASSES
from syncxr.images.simulation.findings.lung.miliary import Miliary
from syncxr.images.simulation.findings.lung.nodule import NODULES
from syncxr.images.simulation.findings.lung.opacity import AIRSPACE
from syncxr.images.simulation.findings.lung.scarring import SCARS

LUNG: tuple[Finding, ...] = (
    *AIRY,
    *RETICULAR,
    *EDEMAS,
    *AIRSPACE,
    Collapse(),
    Atelectasis(),
    *SCARS,
    *MASSES,
    *CAVITIES,
    *NODULES,
    Miliary(),
    *AIRWAYS,
)
"""In the order of insertion: volume and the whole of the lung first, what is small last."""
