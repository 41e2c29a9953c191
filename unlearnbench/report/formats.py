r"""Text of others in each format of output: it is shown as it is, and does nothing.

Names, labels, reasons and parameters come from suites, plug-ins and submissions, so they may hold anything. All text is
one line, with escapes such as ``\x1b`` for what cannot be seen.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from unlearnbench.core.messages import cut, one_line

Style = Literal["plain", "md", "latex"]
"""For a terminal, for Markdown, for LaTeX with ``booktabs``."""

_LATEX: Final = str.maketrans({
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: f"\\{character}" for character in "#$%&_{}"},
})  # fmt: skip
_MARKDOWN: Final = re.compile(
    r"""
      [\\`*|~$] | !(?=\[) | \](?=[(\[:])   # code, emphasis, cells, strike-through, formulas, images, links
    | (?<![^\W_])_ | _(?![^\W_])           # emphasis; not within a name such as max_leaf_nodes
    | :(?=//) | (?<=www)\.                # addresses, which some readers link
    | ^(?:[-+](?=\s|$) | \#(?=\#{0,5}(?:\s|$)) | [-=](?=[-=\s]*$))  # lists, headings, lines
    | (?<=^\d)[.)](?=\s|$) | (?<=^\d\d)[.)](?=\s|$)                 # numbered lists
    """,
    re.VERBOSE,
)
_FORMULA: Final = tuple("=+-@＝＋－＠'")  # noqa: RUF001 - some spreadsheets take the wide forms for the others
"""How a cell begins that a spreadsheet computes, or reads as text because of its apostrophe."""


def latex_text(text: str) -> str:
    """Return text that LaTeX sets as it is."""
    line = one_line(text).strip().translate(_LATEX)
    return f"{{}}{line}" if line.startswith(("[", "*")) else line  # the end of the row above would read it


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is, in a paragraph or in a cell of a table."""
    line = re.sub(r"&(?=#?\w+;)", "&amp;", one_line(text).strip())
    return _MARKDOWN.sub(r"\\\g<0>", line).replace("<", "&lt;").replace(">", "&gt;")


def csv_cell(value: object) -> object:
    """Return a value for a cell of a CSV file: text that a spreadsheet would compute has an apostrophe before it."""
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line


def csv_text(header: Iterable[object], lines: Iterable[Iterable[object]]) -> str:
    """Return a table as CSV; its lines have cells as of :func:`csv_cell`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(csv_cell, line) for line in lines)
    return text.getvalue()


def text_of_csv(cell: str) -> str:
    """Return the text that :func:`csv_cell` made a cell of."""
    return cell.removeprefix("'")


def table(lines: Iterable[Iterable[object]], headers: Sequence[str], style: Style, width: int | None = None) -> str:
    """Return lines as a table in aligned columns; all text is shown as it is.

    On a terminal, very long text loses its middle, and cells of more than ``width`` characters are wrapped; None wraps
    none.
    """
    text = ESCAPES[style]
    rows = [[_cell(text(str(cell)), style) for cell in line] for line in lines]
    head = [text(header) for header in headers]
    return _latex(rows, head) if style == "latex" else _aligned(rows, head, style, width)


def _cell(text: str, style: Style) -> str:
    return cut(text) if style == "plain" else text


def _aligned(
    rows: Sequence[Sequence[str]], headers: Sequence[str], style: Literal["plain", "md"], width: int | None
) -> str:
    from tabulate import tabulate

    layout = "github" if style == "md" else "simple" if headers else "plain"
    return tabulate(rows, headers, tablefmt=layout, disable_numparse=True, maxcolwidths=width)


def _latex(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    head, *lines = (" & ".join(row) + r" \\" for row in (headers, *rows))
    begin = rf"\begin{{tabular}}{{{'l' * len(headers)}}}"
    return "\n".join([begin, r"\toprule", head, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}"])


ESCAPES: Final[Mapping[Style, Callable[[str], str]]] = {
    "plain": one_line,
    "md": markdown_text,
    "latex": latex_text,
}
"""How text is written in each style."""
