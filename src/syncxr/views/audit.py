"""What the terminal shows of an audit."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.table import Table

from syncxr.entities.scoring import score_table
from syncxr.factory.audit.entities import entity_table
from syncxr.factory.audit.summary import AuditSummary, FilmSummary, StudySummary
from syncxr.views.console import out

_WIDTH = 66


def show_audit(summary: AuditSummary) -> None:
    """Reports, films, and what lacks its other half; then where the lists are."""
    out.print(f"[bold]{summary.corpus}[/], {summary.licence}" + _home(summary))
    out.print(_pairing(summary.pairing))
    if summary.pairing.absent_films and not summary.pairing.films:
        out.print(
            f"[yellow]![/] none of the {summary.pairing.absent_films:,} films that the corpus "
            "lists is there, so none was inspected; --films names their folder, the list of what "
            "is unpaired names each",
            highlight=False,
        )
    places = [("unpaired", summary.pairing.list)]
    if summary.entities:
        out.print(entity_table(summary.entities))
        places += [("bank", summary.entities.bank), ("long tail", summary.entities.figure)]
    if summary.films:
        out.print(_films(summary.films))
        places += [
            ("refused films", summary.films.gallery),
            ("their reasons", summary.films.rejected),
            ("all verdicts", summary.films.verdicts),
            ("near-duplicates", summary.films.duplicates),
        ]
    if summary.score:
        out.print(score_table(summary.score))
    grid = Table.grid(padding=(0, 2))
    for name, path in places:
        grid.add_row(name, path)
    out.print(grid)


def _home(summary: AuditSummary) -> str:
    return "; it stays home, and so does what is made of it" if summary.stays_home else ""


def _pairing(pairs: StudySummary) -> Table:
    table = Table(
        box=SIMPLE,
        min_width=_WIDTH,
        title=f"{pairs.studies:,} studies: {pairs.reports:,} reports, {pairs.films:,} films",
    )
    table.add_column("what is missing")
    table.add_column("n", justify="right")
    for name in (
        "without_findings",
        "without_impression",
        "without_section",
        "empty_reports",
        "reports_without_film",
        "films_without_report",
        "absent_films",
        "unlisted_films",
    ):
        table.add_row(name.replace("_", " "), f"{getattr(pairs, name):,}")
    return table


def _films(films: FilmSummary) -> Table:
    table = Table(
        box=SIMPLE,
        min_width=_WIDTH,
        title=f"{films.films:,} films before the {films.judge} judge: {films.passed:,} passed",
        caption=f"{films.duplicate_films:,} films in {films.duplicate_groups:,} groups of "
        f"near-duplicates, {films.across_patients:,} of them across patients",
    )
    table.add_column("refused for")
    table.add_column("n", justify="right")
    table.add_column("share", justify="right")
    for reason, count in films.reasons.items():
        table.add_row(reason, f"{count:,}", f"{count / films.films:.1%}")
    if len(films.views) > 1:
        table.add_section()
        for view, (count, refused) in films.views.items():
            name = f"refused, view {view or 'not named'}"
            table.add_row(name, f"{refused:,} of {count:,}", f"{refused / count:.1%}")
    return table
