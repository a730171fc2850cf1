"""Other views of the body."""

import numpy as np

from syncxr.images.simulation.projection import Pose
from syncxr.images.simulation.views import project, slice_ct


def test_views_differ_and_are_films() -> None:
    films = [
        project(1, pose, size=64)
        for pose in (Pose(), Pose(view="lateral"), Pose(rotation=45.0), Pose(view="AP"))
    ]
    for film in films:
        assert film.shape == (64, 64)
        assert film.dtype == np.uint8
        assert film.std() > 20
    for other in films[1:3]:
        assert np.corrcoef(films[0].ravel(), other.ravel())[0, 1] < 0.9


def test_slices_show_air_around_a_body() -> None:
    axial = slice_ct(0.0, size=65)
    assert axial[0, 0] == 0
    assert axial[32, 32] > 60
    coronal = slice_ct(0.0, (90.0, 0.0), size=65)
    assert abs(coronal[32].astype(int) - axial[32]).max() <= 1
