"""Scenes: views by request and by share, and what goes with them."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.images.simulation.reading import instructions, supine_of, view_of
from syncxr.images.simulation.scene import SUPINE, Scene


@given(st.integers(0, 2**62))
def test_what_a_view_brings_with_it(seed: int) -> None:
    frontal = Scene.sample(seed, "train", {"PA": 1.0})
    bedside = Scene.sample(seed, "train", {"PA": 1.0}, "AP")
    assert frontal.pose.view == "PA"
    assert frontal.pose.distance == 1800.0
    assert 950.0 <= bedside.pose.distance <= 1150.0
    assert bedside.exposure.scatter > 0.3
    # The same patient, but for how the arms lie.
    arms = frontal.patient.scapulae
    assert frontal.patient == replace(bedside.patient, scapulae=arms)
    assert arms <= 10.0 and bedside.patient.scapulae >= 6.0
    for scene in (frontal, bedside):
        borders = scene.borders
        assert max(borders.top, borders.bottom, borders.left, borders.right) <= 0.035
        for marker in scene.markers:
            assert (marker.text != "L" or marker.x > 0.85) and (
                marker.text != "R" or marker.x < 0.15
            )


def test_views_come_in_their_shares() -> None:
    views = {"PA": 2.0, "AP": 1.0, "lateral": 1.0}
    found = Counter(Scene.sample(seed, "train", views).pose.view for seed in range(400))
    assert found["PA"] == pytest.approx(200, abs=35)
    assert found["lateral"] == pytest.approx(100, abs=30)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("Portable AP chest radiograph. No effusion.", "AP"),
        ("Supine film.", "AP"),
        ("PA and lateral views of the chest. Clear lungs.", "PA"),
        ("Frontal and lateral views.", None),
        ("Lateral view of the chest.", "lateral"),
        ("Opacity in the left lateral lung. Heart size is normal.", None),
        ("The apices are clear.", None),
    ],
)
def test_view_by_the_words(text: str, view: str | None) -> None:
    assert view_of(text) == view


def test_numbers_by_the_words() -> None:
    wanted = instructions("Two nodules in the right lung. Multiple left rib fractures. Left mass.")
    counts = {str(entity): count for entity, count in wanted.counts.items()}
    assert counts["right nodule"] == 2
    assert counts["left rib fracture"] == 5
    assert "left mass" not in counts
    assert instructions("Nodules.").counts
    assert not instructions("Atelectasis. Left effusion.").counts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Seven sternotomy wires.", 7),
        ("A single left rib fracture.", 1),
        ("Single view shows left rib fractures.", 3),
        ("Three ECG leads overlie the chest.", 3),
        ("ECG leads overlie the chest.", None),
        ("Sternotomy wires are intact.", None),
    ],
)
def test_a_plural_that_is_always_used_leaves_the_number_open(text: str, count: int | None) -> None:
    assert list(instructions(text).counts.values()) == ([] if count is None else [count])


@pytest.mark.parametrize(
    ("text", "lies"),
    [
        ("Portable supine AP film.", True),
        ("Semi-erect portable film.", False),
        ("Upright AP radiograph.", False),
        ("Portable AP radiograph.", None),
        ("PA and lateral views.", None),
    ],
)
def test_who_lies_by_the_words(text: str, lies: bool | None) -> None:
    assert supine_of(text) is lies


def test_a_share_of_bedside_patients_lies_and_notes_agree() -> None:
    scenes = [Scene.sample(seed, "train", {"AP": 1.0}) for seed in range(300)]
    lying = [scene for scene in scenes if scene.supine]
    assert len(lying) == pytest.approx(SUPINE * 300, abs=30)
    for scene in scenes:
        notes = " ".join(marker.text for marker in scene.markers)
        assert ("SUPINE" not in notes) or scene.supine
        assert ("ERECT" not in notes) or not scene.supine
    assert not any(Scene.sample(seed, "train", {"PA": 1.0}).supine for seed in range(40))
    assert not Scene.sample(1, "train", {"PA": 1.0}, "PA", supine=True).supine
