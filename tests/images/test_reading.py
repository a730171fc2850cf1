"""Statements of one thing are drawn once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.reading import denials, instructions, read, unite, view_of
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.sample import Category, Entity, Polarity


def effusion(location: str = "", severity: str = "") -> Entity:
    return Entity("pleural effusion", Category.ABNORMALITY, Polarity.PRESENT, location, severity)


def test_a_bare_mention_joins_the_precise_one() -> None:
    small_left = effusion("left", "mild")
    for order in ([small_left, effusion()], [effusion(), small_left]):
        assert list(unite(order)) == [small_left]


def test_words_add_up() -> None:
    assert list(unite([effusion("", "mild"), effusion("left")])) == [effusion("left", "mild")]


def test_different_sides_and_severities_stay_apart() -> None:
    assert len(unite([effusion("left"), effusion("right")])) == 2
    assert len(unite([effusion("left", "mild"), effusion("left", "severe")])) == 2
    assert list(unite([effusion("bilateral"), effusion("left")])) == [effusion("bilateral")]


@given(
    st.lists(
        st.builds(
            effusion,
            st.sampled_from(["", "left", "right", "bilateral", "left base", "right base"]),
            st.sampled_from(["", "mild", "severe"]),
        ),
        unique=True,
    )
)
def test_every_statement_is_stood_for_once(entities: list[Entity]) -> None:
    united = unite(entities)
    members = [entity for group in united.values() for entity in group]
    assert sorted(members) == sorted(entities)


def test_film_of_a_report_that_says_things_twice(renderer: SimulationRenderer) -> None:
    twice = "FINDINGS: Small left pleural effusion. IMPRESSION: Pleural effusion."
    once, again = renderer.render(
        [RenderRequest("Small left pleural effusion.", 1), RenderRequest(twice, 1)]
    )
    assert len(read(twice)) == 2
    assert once.image.tobytes() == again.image.tobytes()
    assert set(again.shown) == set(read(twice))
    assert set(again.masks) == {str(entity) for entity in read(twice)}
    study = renderer.study(RenderRequest(twice, 1))
    [normal] = renderer.render([RenderRequest("Normal chest.", 1)])
    assert (study.without([again.shown[0]]) == study.without(again.shown)).all()
    assert not normal.masks


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("2 nodules in the left lung.", 2),
        ("Twelve ECG leads.", 12),
        ("There are 3 small calcified granulomas.", 3),
        ("Two views show a nodule.", None),
        ("2 views show nodules.", 3),
        ("A 9 mm nodule.", None),
        ("Nodules of 2.5 cm; 9 mm nodules.", 3),
        ("5th and 6th rib fractures.", 3),
        ("In 2019 nodules were seen.", 3),
    ],
)
def test_numbers_count_findings_and_nothing_else(text: str, count: int | None) -> None:
    assert set(instructions(text).counts.values()) == ({count} if count else set())


def test_denials_by_name_and_by_a_normal_structure() -> None:
    assert "pleural effusion" in denials(read("No left pleural effusion."))
    assert denials(read("Left pleural effusion. Possible pneumothorax.")) == frozenset()
    assert "cardiomegaly" in denials(read("Heart size is normal."))
    assert "consolidation" in denials(read("Lungs are clear."))
    assert "cardiomegaly" not in denials(read("Lungs are clear."))


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("PA and lateral views of the chest.", "PA"),
        ("Chest, PA and lateral. Lungs are clear.", "PA"),
        ("EXAM: Chest PA/lateral", "PA"),
        ("Technique: PA & lat.", "PA"),
        ("PA\nThe lungs are clear.", "PA"),
        ("The posteroanterior film shows clear lungs.", "PA"),
        ("Single AP view. PA catheter in place.", "AP"),
        ("AP upright chest.", "AP"),
        ("Chest AP.", "AP"),
        ("Lateral view of the chest.", "lateral"),
        ("PA catheter tip overlies the right hilum.", None),
        ("The tip of the Swan-Ganz catheter is in the main PA.", None),
        ("Enlarged PA. No effusion.", None),
        ("PA enlargement, suggesting elevated PA pressure.", None),
        ("Chest tube in place. PA line with its tip in the right PA.", None),
        ("Frontal view: PA catheter, no pneumothorax.", None),
        ("Fullness of the AP window.", None),
        ("Increased AP diameter of the chest.", None),
        ("Frontal and lateral views.", None),
        ("Anteroposterior radiograph.", "AP"),
        ("Lateral view. The patient is supine.", "lateral"),
        ("Supine frontal and lateral views.", "AP"),
        ("The patient is semi-recumbent.", "AP"),
    ],
)
def test_a_view_is_named_and_not_an_artery_or_a_window(text: str, view: str | None) -> None:
    assert view_of(text) == view


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("The mediastinum is shifted to the right.", "right"),
        ("Mediastinal shift to the left.", "left"),
        ("There is rightward shift of the mediastinum.", "right"),
        ("Large left pneumothorax with mediastinal shift to the right.", "right"),
        ("Left pneumothorax with mediastinal shift.", ""),
        ("Left-sided tracheal deviation.", "left"),
        ("The trachea deviates to the right.", "right"),
    ],
)
def test_a_shift_keeps_its_side(text: str, side: str) -> None:
    moved = [e for e in instructions(text).entities if e.concept.endswith(("shift", "deviation"))]
    assert [e.location for e in moved] == [side]
