"""What a user sees when something is wrong: one line, status 1, no traceback."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.cli import main
from syncxr.dataset.shards import read_shard


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str | int | None:
    """Exit code or message of a command, as Python's ``sys.exit`` gets it."""
    monkeypatch.setattr(sys, "argv", ["syncxr", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def complaint(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str:
    message = run(monkeypatch, *arguments)
    assert isinstance(message, str) and message.startswith("error: ")
    assert "\n" not in message
    return message


@pytest.fixture
def plan_csv(tmp_path: Path) -> Path:
    path = tmp_path / "plan.csv"
    path.write_text("id,entities\nmine-1,small left pleural effusion; no pneumothorax\n")
    return path


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("sampling: {pears: 3}", "sampling.pears"),
        ("sampling: {pairs: many}", "sampling.pairs"),
        ("sampling: {pairs: [1", "not readable YAML"),
        ("- a list", "must hold keys and values"),
        ("pretraining: {epochs: -1}", "pretraining.epochs"),
        ("renderer: {size: 224}", "renderer.name"),
    ],
)
def test_bad_configuration(
    yaml: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan_csv: Path
) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(yaml)
    message = complaint(monkeypatch, "draft", plan_csv, "-c", config, "-o", tmp_path / "out")
    assert str(config) in message and words in message
    assert not (tmp_path / "out").exists()


def test_unknown_preset(monkeypatch: pytest.MonkeyPatch, plan_csv: Path, tmp_path: Path) -> None:
    message = complaint(monkeypatch, "draft", plan_csv, "-c", "lapdog", "-o", tmp_path / "out")
    assert "'lapdog'" in message and "laptop" in message


@pytest.mark.parametrize(
    ("renderer", "words"),
    [("{name: crayons}", "crayons"), ("{name: simulation, size: big}", "size")],
)
def test_bad_backend(
    renderer: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(f"renderer: {renderer}")
    reports = tmp_path / "reports.csv"
    reports.write_text("id,findings,impression\na,Clear lungs.,Normal.\n")
    message = complaint(
        monkeypatch, "render", reports, "-c", tmp_path / "mine.yaml", "-o", tmp_path / "out"
    )
    assert words in message


def test_missing_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "absent.parquet" in complaint(monkeypatch, "draft", tmp_path / "absent.parquet")


def test_folder_without_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "films").mkdir()
    message = complaint(monkeypatch, "curate", tmp_path / "films", "-o", tmp_path / "out")
    assert "holds no images" in message


def test_unreadable_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "broken.png").write_bytes(b"\x89PNG no more")
    message = complaint(
        monkeypatch, "curate", tmp_path / "films", "-o", tmp_path / "out", "--workers", "1"
    )
    assert "broken.png" in message


def broken_films(folder: Path, broken: int) -> tuple[str | Path, ...]:
    """A command over six films of noise and some files that are no films."""
    folder.mkdir()
    for index in range(6):
        noise = np.random.default_rng(index).integers(0, 256, (64, 64), dtype=np.uint8)
        Pillow.fromarray(noise).save(folder / f"good-{index}.png")
    for index in range(broken):
        (folder / f"broken-{index}.png").write_bytes(b"\x89PNG no more")
    shards = ("--workers", "1", "--set", "factory.shard_size=2")
    return ("curate", folder, "-o", folder.parent / "out", *shards)


def test_curate_goes_on_past_films_that_do_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command, figures = broken_films(tmp_path / "films", 1), tmp_path / "figures.json"
    assert run(monkeypatch, *command, "--json", figures) == 0
    assert "broken-0.png does not open as an image" in capsys.readouterr().out
    summary = json.loads(figures.read_text())
    assert summary["samples"] == 7 and summary["counts"]["film: unreadable"] == 1
    assert len(summary["unreadable"]) == 1
    rows = (tmp_path / "out/verdicts.csv").read_text().splitlines()
    assert len(rows) == 8 and rows[1].startswith("broken-0.png,False,unreadable,")


def test_curate_does_not_go_on_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many broken files end the run; what was judged is kept when the limit is raised."""
    command = broken_films(tmp_path / "films", 4)
    message = complaint(monkeypatch, *command)
    assert "4 of 10 samples cannot be used" in message and "broken-0.png" in message
    assert "execution.corrupt_limit = 0.01" in message
    assert not (tmp_path / "out/verdicts.csv").exists()
    assert run(monkeypatch, *command, "--set", "execution.corrupt_limit=0.5") == 0
    assert len((tmp_path / "out/verdicts.csv").read_text().splitlines()) == 11


def test_unfinished_run_is_not_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "manifest.json" in complaint(monkeypatch, "verify", tmp_path)


def test_images_without_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = complaint(monkeypatch, "evaluate", tmp_path, "--images", tmp_path)
    assert "--labels" in message


def test_evaluate_takes_keys_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = complaint(monkeypatch, "evaluate", tmp_path, "--set", "test_set.film=3")
    assert "did you mean test_set.films?" in message
    message = complaint(monkeypatch, "evaluate", tmp_path, "--set", "test_set.films=9")
    assert "holds no checkpoint" in message


def test_output_that_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan_csv: Path
) -> None:
    (tmp_path / "out").write_text("")
    message = complaint(monkeypatch, "draft", plan_csv, "-o", tmp_path / "out")
    assert "cannot be written" in message


def test_render_curate_verify_ones_own_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's own CSV through three commands, with figures as JSON."""
    reports = tmp_path / "reports.csv"
    reports.write_text(
        "id,findings,impression\n"
        "a,There is a large right pleural effusion.,Large right pleural effusion.\n"
        "b,The lungs are clear. No pneumothorax.,No pneumothorax.\n"
    )
    films, curated = tmp_path / "films", tmp_path / "curated"
    figures = tmp_path / "figures.json"
    one = ("--workers", "1", "--json", figures)
    assert run(monkeypatch, "render", reports, "-o", films, "--no-judge", *one) == 0
    assert json.loads(figures.read_text())["accepted"] == 2
    assert run(monkeypatch, "verify", films) == 0
    assert run(monkeypatch, "curate", films, "-o", curated, *one) == 0
    summary = json.loads(figures.read_text())
    assert summary["accepted"] + summary["rejected"] == 2
    lines = (curated / "verdicts.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "a", "b"]


def test_curate_ones_own_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise is no chest film: refused, with its reasons in the list."""
    folder = tmp_path / "films" / "day1"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (300, 200), dtype=np.uint8)
    Pillow.fromarray(noise).save(folder / "noise.jpg")
    out = tmp_path / "out"
    assert run(monkeypatch, "curate", tmp_path / "films", "-o", out, "--workers", "1") == 0
    _, row = (out / "verdicts.csv").read_text().splitlines()
    id, passed, reasons, *_ = row.split(",")
    assert (id, passed) == ("day1/noise.jpg", "False")
    assert "chest" in reasons
    (shard,) = (out / "rejected").glob("*.parquet")
    assert read_shard(shard)[0].image is None, "one's own film was copied"


def test_changed_reports_are_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports, out = tmp_path / "reports.csv", tmp_path / "out"
    reports.write_text("id,findings\na,Large right pleural effusion.\n")
    command = ("render", reports, "-o", out, "--no-judge", "--workers", "1")
    assert run(monkeypatch, *command) == 0
    reports.write_text("id,findings\na,Large left pleural effusion.\n")
    assert "source.sha256" in complaint(monkeypatch, *command)


def test_options_over_a_wrong_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("sampling: 3\n")
    message = complaint(monkeypatch, "generate", "-c", config, "--pairs", "5", "-o", tmp_path / "x")
    assert "'sampling'" in message


def test_bad_judge_shows_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(
        "judge: {name: inspektor}\nsampling: {pairs: 60, k: 3, m: 1, tau_max: auto}\n"
    )
    out = tmp_path / "out"
    assert "inspektor" in complaint(monkeypatch, "generate", "-c", config, "-o", out)
    assert not (out / "drafts").exists()


def test_tampering_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = tmp_path / "reports.csv"
    reports.write_text("id,findings,impression\na,Large right pleural effusion.,Effusion.\n")
    out = tmp_path / "films"
    run(monkeypatch, "render", reports, "-o", out, "--no-judge", "--workers", "1")
    assert run(monkeypatch, "verify", out) == 0
    (shard,) = (out / "dataset" / "data").glob("*.parquet")
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 255
    shard.write_bytes(data)
    figures = tmp_path / "figures.json"
    assert run(monkeypatch, "verify", out, "--json", figures) == 1
    assert any("sha256" in fault for fault in json.loads(figures.read_text())["faults"]["files"])


def test_a_missing_package_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan_csv: Path
) -> None:
    """Also where a backend imports it only when it begins to work."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    message = complaint(monkeypatch, "draft", plan_csv, "-o", tmp_path / "out")
    assert "'xllamacpp' is not installed; run: pip install 'syncxr[embedded]'" in message


def test_a_key_out_of_its_place_is_written_nowhere(
    monkeypatch: pytest.MonkeyPatch, plan_csv: Path, tmp_path: Path
) -> None:
    secret = "sk-hush-hush-1234567890"
    bank = tmp_path / "bank.csv"
    bank.write_text("entity,category,count\nconsolidation,abnormality,9\n")
    chat = "{name: chat, model: m, base_url: 'http://127.0.0.1:9/v1'"
    for writer in (
        f"{chat}, api_key: {secret}}}",
        f"{{name: chat, model: m, base_url: 'http://user:{secret}@127.0.0.1:9/v1'}}",
    ):
        for command in (("generate", bank), ("draft", plan_csv), ("generate", bank, "--dry-run")):
            message = complaint(
                monkeypatch, *command, "--set", f"writer={writer}", "-o", tmp_path / "out"
            )
            assert "writer 'chat', option" in message and secret not in message
    assert not (tmp_path / "out").exists()
    message = complaint(monkeypatch, "draft", plan_csv, "--set", f"api_key={secret}")
    assert "there is no key 'api_key'" in message and secret not in message


def test_a_wrong_option_binds_no_folder(
    monkeypatch: pytest.MonkeyPatch, plan_csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for wrong, words in (
        ("judge.nmae=3", "judge 'inspector', option 'nmae': there is no such option"),
        ("renderer.name=difusion", "renderer 'difusion' is unknown"),
    ):
        assert words in complaint(monkeypatch, "generate", "--set", wrong, "-o", out)
        assert not out.exists()


def test_the_preset_of_an_audit_can_be_filled_in_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("FINDINGS: No effusion.")
    given = ("--set", "extractor={name: rules}", "--no-judge", "-o", tmp_path / "out")
    assert run(monkeypatch, "audit", tmp_path, "--preset", "paper", *given) == 0
    assert (tmp_path / "out" / "bank.parquet").exists()
