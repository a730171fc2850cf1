"""The body as a view sees it."""

import numpy as np

from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.frame import frame_of


def test_arms_that_hang_beside_the_chest_are_left_out_of_lateral_views() -> None:
    body = load_body(2.0).fresh(Patient())
    beside = np.abs(body.slabs.columns) > body.marks.half_width + 40.0
    assert body.bone[..., beside].max() > 0.5
    frame, water, bone = frame_of(body, 2.0, lateral=True)
    outside = np.abs(frame.slabs.centres) > body.marks.half_width + 30.0
    assert outside.any()
    assert not water[outside].any()
    assert not bone[outside].any()
    assert water[~outside].max() > 0.5
