"""The page of a made-up run, read as HTML; then seen by a real browser where there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from syncxr.errors import SyncxrError
from syncxr.views.report import render, write_report
from syncxr.views.report_data import ReportData, load

_spec = spec_from_file_location("made_up_run", Path(__file__).parent / "made_up_run.py")
assert _spec and _spec.loader
made_up = module_from_spec(_spec)
_spec.loader.exec_module(made_up)

SECTIONS = ("funnel", "entities", "pairs", "rejected", "faithfulness", "training", "scores")


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether every tag is closed."""

    _void = ("meta", "link", "img", "br", "line", "path", "circle", "polyline")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self._void:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._void:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [a for t, a in self.tags if t == tag and attributes.items() <= a.items()]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "example"
    folder.mkdir()
    made_up.write_run(folder)
    write_report(folder, folder / "report.html")
    return folder


@pytest.fixture(scope="module")
def html(run: Path) -> str:
    return (run / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_section_is_there_and_in_the_menu(page: Page) -> None:
    for name in (*SECTIONS, "provenance"):
        assert page.all("section", id=name)
        assert page.all("a", href=f"#{name}")


def test_nothing_is_fetched(page: Page, html: str) -> None:
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "poster"):
            value = attributes.get(name, "data:")
            assert value.startswith(("data:", "#")), value[:80]
    assert "url(" not in html
    assert "@import" not in html
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert policy.startswith("default-src 'none'")


def test_figures_of_the_summary_are_shown(page: Page) -> None:
    text = " ".join(page.text.split())
    for words in (
        "47 drafts, 93.0 % verified at the first",
        "51 films",
        "50 of 51",
        "0.797",
        "0.760 – 0.830",
        "40 with, 260 without",
        "nodule: no film shows it",
        "a stated finding is not in the film",
        "artefacts; poor fidelity",
        "3 samples never passed",
        "CC-BY-NC-ND-4.0",
        "prompt set “plain”",
    ):
        assert words in text, words


def test_text_is_escaped(html: str) -> None:
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html


def test_gallery_covers_every_finding_and_normal(run: Path, page: Page) -> None:
    figures = [a for a in page.all("figure") if "data-concepts" in a]
    assert len(figures) == 24
    seen = {concept for a in figures for concept in a["data-concepts"].split("|")}
    planned = {a["data-filter"] for a in page.all("button") if a.get("data-filter")}
    assert seen == planned
    assert "normal" in seen
    assert len(seen) == 6


def test_masks_are_hidden_until_asked_for_and_each_has_a_button(page: Page) -> None:
    paths = [a for a in page.all("path") if "data-mask" in a]
    buttons = [a for a in page.all("button") if "data-mask" in a]
    assert len(paths) == len(buttons) > 10
    assert all("hidden" in a for a in paths)
    assert all(a["aria-pressed"] == "false" for a in buttons)


def test_same_run_same_page(run: Path, html: str) -> None:
    assert render(load(run)) == html


def test_a_run_that_did_little_gives_a_page_of_what_it_did(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text('{"reports": 12}')
    write_report(tmp_path, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert {a["id"] for a in page.all("section")} == {"provenance"}
    assert Page(render(ReportData("empty"))).all("section", id="provenance")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("summary.json", None, "summary.json does not exist"),
        ("summary.json", "{", "summary.json is not JSON"),
        ("summary.json", "[]", "holds no mapping"),
        ("checkpoint/history.jsonl", "{]\n", "history.jsonl is damaged"),
        ("plan.parquet", "no plan", "plan.parquet is not a readable plan"),
    ],
)
def test_faults_name_the_file(
    run: Path, tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    if content is not None:
        (tmp_path / "run" / name).write_text(content)
    with pytest.raises(SyncxrError, match=words):
        write_report(tmp_path / "run", tmp_path / "report.html")


# ------------------------------------------------------------ in a browser

PROBE = """
<pre id="probe"></pre><script>
const shown = () => document.querySelectorAll("#gallery path:not([hidden])").length;
const visible = () => [...document.querySelectorAll("#gallery figure")]
  .filter((figure) => getComputedStyle(figure).display !== "none").length;
const result = { total: document.querySelectorAll("#gallery path").length, before: shown() };
document.querySelector("#gallery button[data-mask]").click();
result.one = shown();
document.getElementById("all-masks").click();
result.all = shown();
document.getElementById("all-masks").click();
result.none = shown();
document.querySelector('button[data-filter="normal"]').click();
result.normal = visible();
document.querySelector('button[data-filter=""]').click();
result.everything = visible();
result.wider = document.documentElement.scrollWidth - innerWidth;
result.broken = [...document.images].filter((image) => !image.naturalWidth).length;
result.fetched = performance.getEntriesByType("resource").map((entry) => entry.name)
  .filter((name) => !name.startsWith("data:"));
document.getElementById("probe").textContent = JSON.stringify(result);
</script></body>"""

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), ""
)


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome is installed")
@pytest.mark.parametrize("width", [390, 1400])
def test_in_a_browser(run: Path, html: str, width: int, tmp_path: Path) -> None:
    (tmp_path / "probed.html").write_text(html.replace("</body>", PROBE))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--enable-logging=stderr", f"--window-size={width},900", "--virtual-time-budget=5000"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--no-first-run"]
    seen = subprocess.run(
        [BROWSER, *flags, "--dump-dom", f"file://{tmp_path / 'probed.html'}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    # Errors, and requests that the page's own policy refused, are told on the console.
    assert [line for line in seen.stderr.splitlines() if "CONSOLE" in line] == []
    found = re.search(r'<pre id="probe">(.*?)</pre>', seen.stdout)
    assert found
    result = json.loads(found[1])
    assert result["before"] == result["none"] == 0
    assert result["one"] == 1
    assert result["all"] == result["total"] > 10
    assert 0 < result["normal"] < result["everything"] == 24
    assert result["wider"] <= 0
    assert result["broken"] == 0
    assert result["fetched"] == []
