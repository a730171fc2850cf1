"""A corpus in its published layout: MIMIC-CXR-JPG, Open-i, a folder of films and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from syncxr.corpora.study import Corpus, FilmFile, Study
from syncxr.corpora.terms import Terms
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.data.sources.rules import LATERAL, is_frontal, study_rule
from syncxr.pretraining.data.sources.state import tree_state


class Collection:
    """Films of a corpus with the reports of their studies.

    Args:
        corpus: As :mod:`syncxr.corpora` reads it.
        name: What the user called it.
        places: Folders and files that it lies in; when one changes, films are decoded anew.
        view_of: View of a film, ``""`` where nobody knows; ``None`` = all films are taken.
    """

    total: int | None = None

    def __init__(
        self,
        corpus: Corpus,
        name: str,
        places: tuple[Path, ...],
        view_of: Callable[[FilmFile], str] | None,
    ) -> None:
        self._corpus, self._places, self._view_of = corpus, places, view_of
        self.name = name
        self.terms: Terms | None = corpus.terms

    def state(self) -> dict[str, Any]:
        """What the corpus says of itself, and the number, bytes and latest change of its files."""
        return {**self._corpus.identity(), "files": tree_state(*self._places)}

    def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
        """Study by study."""
        found = (entry for study in self._corpus.studies() for entry in self._of(study))
        yield from islice(found, start, None)

    def _of(self, study: Study) -> Iterator[Entry | Rejected]:
        for name in study.absent:
            yield Rejected(name, "listed, but not on disk", corrupt=False)
        rule = study_rule(study)
        for film in study.films:
            frontal = self._view_of is None or is_frontal(self._view_of(film))
            reason = rule or ("" if frontal else LATERAL)
            if reason or study.report is None:
                yield Rejected(film.id, reason, corrupt=False)
            else:
                yield Entry(
                    film.id,
                    film.path,
                    study.report.findings,
                    study.report.impression,
                    study.patient or study.id,
                    study.split,
                    f"{self.name}, study {study.id}",
                )
