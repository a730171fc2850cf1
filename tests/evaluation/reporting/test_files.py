"""What stands beside the tables of a suite."""

from pathlib import Path

from syncxr.evaluation.reporting.files import write_report
from syncxr.evaluation.scoring.results import MEAN, NAN, Result
from syncxr.evaluation.suites.running import SuiteRun


def result(**fields: object) -> Result:
    given = {
        "task": "zero-shot classification",
        "model": "mine",
        "test_set": "ward 3",
        "split": "all",
        "finding": MEAN,
        "protocol": "raw",
        "metric": "AUROC",
        "value": 0.5,
        "n": 60,
        "positives": 1,
        "units": "60 images",
    }
    return Result(**(given | fields))  # type: ignore[arg-type]


def test_empty_tables_say_why(tmp_path: Path) -> None:
    """A mean that every finding was left out of is told in one line, on the screen and in files."""
    why = "left out: nodule (3 positives, fewer than 10), edema (one class only)"
    rows = (
        result(),
        result(protocol="stratified", value=NAN, note=why),
        result(protocol="stratified", metric="AP", value=NAN, note=why),
        result(protocol="stratified", finding="nodule", positives=3),
    )
    run = SuiteRun(("mine",), rows, (), (), (), (), 1, 0)
    report = write_report("a suite", run, (), tmp_path)
    line = f"ward 3, zero-shot classification: no mean; {why}."
    assert str(report.to_rich()[-1]).count(line) == 1
    assert (tmp_path / "results.md").read_text().count(line) == 1
