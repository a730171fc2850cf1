"""Courses through a body that devices and fractures follow: airway, vessels, bones, skin.

In: a CT's label map, the thorax prepared from it. Out: curves in the thorax's millimetres.
Must not know: devices, findings, patients.
"""

from syncxr.images.simulation.courses.courses import Courses
from syncxr.images.simulation.courses.store import load_courses

__all__ = ["Courses", "load_courses"]
