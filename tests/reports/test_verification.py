"""Verification accepts what is said and names what is not."""

from syncxr.reports.verification import canonical, verify_findings, verify_impression
from syncxr.sample import Category, Entity, Polarity

EFFUSION = Entity("pleural effusion", Category.ABNORMALITY, Polarity.PRESENT, "left", "mild")
NO_PNEUMOTHORAX = Entity("pneumothorax", Category.NON_ABNORMALITY, Polarity.ABSENT)
HEART = Entity("heart", Category.ANATOMY, Polarity.ABSENT)
MAYBE = Entity("pneumonia", Category.DISEASE, Polarity.UNCERTAIN)
PLAN = (EFFUSION, NO_PNEUMOTHORAX, HEART)
TEXT = "Small left pleural effusion. No pneumothorax. The heart is normal in size."


def test_findings_that_say_the_plan_pass() -> None:
    assert verify_findings(TEXT, PLAN) == ()


def test_each_difference_is_a_reason() -> None:
    assert verify_findings(TEXT, PLAN[:2]) == ("findings adds: normal heart",)
    assert verify_findings("Small left pleural effusion.", PLAN[:2]) == (
        "findings lacks: no pneumothorax",
    )


def test_side_severity_and_polarity_count() -> None:
    for wrong in ("Small right effusion.", "Large left effusion.", "No left effusion."):
        reasons = verify_findings(wrong, [EFFUSION])
        assert len(reasons) == 2, wrong


def test_impression_is_a_subset_with_every_positive() -> None:
    plan = (*PLAN, MAYBE)
    assert verify_impression("Small left effusion.", plan) == ()
    assert verify_impression("Small left effusion. Possible pneumonia.", plan) == ()
    assert verify_impression("Small left effusion. No pneumothorax.", plan) == ()
    assert verify_impression("No pneumothorax.", plan) == (f"impression lacks: {EFFUSION}",)
    assert verify_impression("Small left effusion. Cardiomegaly.", plan) == (
        "impression adds: cardiomegaly",
    )


def test_normal_study() -> None:
    plan = (NO_PNEUMOTHORAX, HEART)
    assert verify_impression("Normal chest radiograph.", plan) == ()
    assert verify_impression("No acute cardiopulmonary process.", plan) != ()
    assert verify_impression(" ", plan) == ("impression is empty",)


def test_impression_must_fit_clip() -> None:
    long = "Small left effusion. " * 20
    (reason,) = verify_impression(long, [EFFUSION])
    assert "CLIP tokens" in reason


def test_normal_places_are_the_lungs() -> None:
    apex = Entity("pleura", Category.ANATOMY, Polarity.ABSENT, "left apex")
    both = Entity("lungs", Category.ANATOMY, Polarity.ABSENT, "bilateral")
    assert canonical([apex, both]) == {
        Entity("lungs", Category.ANATOMY, Polarity.ABSENT, "left apex"),
        Entity("lungs", Category.ANATOMY, Polarity.ABSENT),
    }
    assert verify_findings("The left lung apex is clear. Both lungs are clear.", [apex, both]) == ()
