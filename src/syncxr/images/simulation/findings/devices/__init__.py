"""Devices and traces of treatment.

In: a body, an entity, chance. Out: shapes along the body's courses.
Must not know: tissue, other findings, films.
"""

from syncxr.images.simulation.findings.devices.lines import LINES
from syncxr.images.simulation.findings.devices.monitoring import MONITORING
from syncxr.images.simulation.findings.devices.pacing import PACING
from syncxr.images.simulation.findings.devices.surgical import SURGICAL
from syncxr.images.simulation.findings.devices.tubes import TUBES

DEVICES = (*TUBES, *LINES, *PACING, *SURGICAL, *MONITORING)
"""In the order of insertion; none depends on another."""

__all__ = ["DEVICES"]
