"""A page of refused films, reason by reason: whether a judge is right is seen at a glance."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment
from PIL import Image as Pillow

from syncxr.corpora.films import read_film
from syncxr.corpora.terms import Terms
from syncxr.dataset.files import write_text
from syncxr.errors import SyncxrError

SHOWN = 24
"""Films shown for a reason, spread evenly over all that were refused for it."""

_SIDE = 220

_TEMPLATE = Path(__file__).with_name("gallery.html.j2")


@dataclass(frozen=True)
class Refused:
    """One film on the page.

    Attributes:
        id: Its name.
        path: Where it lies.
        view: View as the corpus names it.
        reasons: Why it was refused, each with its probability of yes where there is one.
    """

    id: str
    path: str
    view: str
    reasons: Mapping[str, float | None]


def write_gallery(
    path: Path,
    corpus: str,
    terms: Terms,
    counts: Mapping[str, int],
    shown: Mapping[str, Sequence[Refused]],
) -> None:
    """Write the page; its pictures are in it, small.

    Args:
        path: HTML file.
        corpus: Name of the corpus.
        terms: Stand at the head of the page, for it holds pixels.
        counts: Reason to films refused for it, the commonest first.
        shown: Reason to some of these films.
    """
    sections = [(name, count, [_shown(f) for f in shown[name]]) for name, count in counts.items()]
    pages = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = pages.from_string(_TEMPLATE.read_text("utf-8"))
    write_text(path, template.render(corpus=corpus, terms=terms, sections=sections))


def _shown(film: Refused) -> dict[str, object]:
    marks = [
        reason if score is None else f"{reason} {score:.2f}"
        for reason, score in film.reasons.items()
    ]
    return {"id": film.id, "view": film.view, "marks": marks, "picture": _picture(film.path)}


def _picture(path: str) -> str:
    """A small JPEG as a data URL; nothing where the file does not open."""
    try:
        pixels = read_film(Path(path))
    except SyncxrError:
        return ""
    small = Pillow.fromarray(pixels)
    small.thumbnail((_SIDE, _SIDE), Pillow.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
