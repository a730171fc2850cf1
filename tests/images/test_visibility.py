"""When a finding is visible."""

import numpy as np

from syncxr.images.visibility import GREY_STEP, OWN_STEP, visible_pixels


def test_the_ring_of_sharpening_is_not_visible_tissue() -> None:
    #               object, ring, ring by the other sign, faint, sharpened line
    film = np.array([60.0, -8.0, 9.0, GREY_STEP, 7.0])
    own = np.array([50.0, 0.0, -3.0, GREY_STEP, OWN_STEP + 0.1])
    assert visible_pixels(film, own).tolist() == [True, False, False, False, True]
