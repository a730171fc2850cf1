"""Result tables: best in bold, an interval beside each number, for the screen and for papers.

In: results of a suite, and published numbers that the user gives.
Out: the same tables in the terminal, as Markdown, LaTeX and HTML.
Must not know: how anything was scored.
"""
