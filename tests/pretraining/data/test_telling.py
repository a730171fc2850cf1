"""A person is told what is trained on, what was left out and what could not be used."""

from syncxr.pretraining.data.loader import Loader
from syncxr.pretraining.data.opening import Data
from syncxr.pretraining.data.record import SourceRecord
from syncxr.pretraining.data.store.layout import Skipped
from syncxr.pretraining.data.telling import lines

WHOLE = SourceRecord(
    name="mimic",
    weight=None,
    pairs=1200,
    training=1100,
    validation=100,
    per_epoch=1100,
    fingerprint="f",
    skipped=(),
    left_out={},
)


def told(source: SourceRecord) -> list[str]:
    return lines(Data(Loader([], "report"), Loader([], "report"), (source,), ""))


def test_a_source_of_which_all_is_used() -> None:
    assert told(WHOLE) == ["mimic: 1,100 pairs to train on, 100 kept out"]


def test_shares_rules_and_faults() -> None:
    skipped = tuple(Skipped(id=f"{i}.png", reason="torn") for i in range(5))
    change = {"weight": 2, "left_out": {"no report": 3, "lateral": 1234}, "skipped": skipped}
    assert told(WHOLE.model_copy(update=change)) == [
        "mimic: 1,100 pairs to train on, 100 kept out, 1,100 an epoch",
        "  left out: 1,234 lateral, 3 no report",
        "  skipped 5 that cannot be used: 0.png (torn); 1.png (torn); 2.png (torn); …",
    ]
