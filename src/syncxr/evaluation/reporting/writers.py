"""Tables as Markdown and LaTeX, and for the screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from syncxr.evaluation.reporting.layout import Figure, ResultTable


def markdown(
    title: str,
    tables: Sequence[ResultTable],
    remarks: Sequence[str] = (),
    comparisons: Sequence[str] = (),
) -> str:
    """One document."""
    parts = [f"# {title}", "", *(f"{remark}\n" for remark in remarks)]
    for table in tables:
        heads = [_joined(column.head, column.sub) for column in table.columns]
        parts += [f"## {table.title}", ""]
        parts += [f"{table.subtitle}\n"] if table.subtitle else []
        parts.append(_pipes(["", *heads]))
        parts.append("|---" + "|---:" * len(heads) + "|")
        parts += [_pipes([name, *map(_markdown_figure, own)]) for name, own in table.rows]
        parts += ["", *(f"- {note}" for note in table.remarks), ""]
    if comparisons:
        parts += ["## Paired comparisons", "", *(f"- {line}" for line in comparisons), ""]
    return "\n".join(parts)


def latex(tables: Sequence[ResultTable]) -> str:
    r"""Tables for ``\input``; they need the package ``booktabs``."""
    return "% needs \\usepackage{booktabs}\n\n" + "\n\n".join(map(_latex_table, tables)) + "\n"


def screen(table: ResultTable) -> Group:
    """For the terminal: sets as columns; findings, of which there are many, as rows."""
    names = [name for name, _ in table.rows]
    heads = [_joined(column.head, column.sub) for column in table.columns]
    grid = [[_screen_figure(figure) for figure in own] for _, own in table.rows]
    if not table.main:
        names, heads = heads, names
        grid = [list(column) for column in zip(*grid, strict=True)]
    shown = Table(title=table.title, title_justify="left")
    shown.add_column("")
    for head in heads:
        shown.add_column(Text(head), justify="right")
    for place, (name, cells) in enumerate(zip(names, grid, strict=True), start=1):
        end = table.main and place == table.models < len(names)
        shown.add_row(Text(name), *cells, end_section=end)
    return Group(shown, Text("\n".join(filter(None, (table.subtitle, *table.remarks, " "))), "dim"))


def _screen_figure(figure: Figure | None) -> Text:
    if figure is None:
        return Text("")
    number = Text(figure.number, style="bold" if figure.best else "")
    return Text(" ").join(filter(None, (number, Text(figure.interval, style="dim"))))


def _joined(first: str, second: str) -> str:
    return " ".join(filter(None, (first, second)))


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _markdown_figure(figure: Figure | None) -> str:
    if figure is None:
        return ""
    number = f"**{figure.number}**" if figure.best else figure.number
    return _joined(number, figure.interval)


_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "−": "$-$", "–": "--", "≥": r"$\ge$", "×": r"$\times$", "·": r"$\cdot$",
    "“": "``", "”": "''",
}  # fmt: skip


def _plain(text: str) -> str:
    """Text that LaTeX sets as it is written."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _latex_table(table: ResultTable) -> str:
    heads = [_plain(_joined(column.head, column.sub)) for column in table.columns]
    caption = ". ".join(filter(None, (table.title, table.subtitle)))
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_plain(caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
        r"\toprule",
        rf"{' & '.join(['', *heads])} \\",
        r"\midrule",
    ]
    for place, (name, own) in enumerate(table.rows, start=1):
        # A bracket after the end of a row would be taken for that row's option.
        first = _plain(name).replace("[", "{[}")
        lines.append(rf"{' & '.join([first, *map(_latex_figure, own)])} \\")
        if place == table.models < len(table.rows):
            lines.append(r"\midrule")
    lines += [r"\bottomrule", r"\end{tabular}", r"\par\smallskip\footnotesize\raggedright"]
    lines += [_plain(note) + r"\par" for note in table.remarks]
    return "\n".join([*lines, r"\end{table}"])


def _latex_figure(figure: Figure | None) -> str:
    if figure is None:
        return ""
    number = rf"\textbf{{{figure.number}}}" if figure.best else _plain(figure.number)
    low_high = rf"{{\scriptsize {_plain(figure.interval)}}}" if figure.interval else ""
    return _joined(number, low_high)
