"""Findings of the pleura.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other rooms of findings.
"""

from syncxr.images.simulation.findings.finding import Finding
from syncxr.images.simulation.findings.pleura.effusion import EFFUSIONS
from syncxr.images.simulation.findings.pleura.loculated import LOCULATED
from syncxr.images.simulation.findings.pleura.plaque import Plaque
from syncxr.images.simulation.findings.pleura.pneumothorax import PNEUMOTHORACES
from syncxr.images.simulation.findings.pleura.thickening import THICKENINGS

PLEURA: tuple[Finding, ...] = (*THICKENINGS, Plaque(), *LOCULATED, *EFFUSIONS, *PNEUMOTHORACES)
"""In the order of insertion: fluid and air take the room of what lies in the lung."""
