"""What the report's page is put together from."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

Drawn = tuple[str, str, str]
"""What a plot shows, its drawing, and in words what it says."""


def plots(drawn: Iterable[Drawn]) -> str:
    """Figures, side by side where there is room."""
    return '<div class="plots">' + "".join(map(plot, drawn)) + "</div>"


def plot(one: Drawn) -> str:
    """A figure: what it shows, the drawing, and in words what it says."""
    shows, svg, says = one
    return (
        f"<figure><figcaption>{text(shows)}</figcaption>"
        f'<div class="plot" role="img" aria-label="{text(says)}">{svg}</div></figure>'
    )


def details(inside: str, summary: str = "The same in numbers") -> str:
    """What opens when somebody asks for it."""
    return f"<details><summary>{summary}</summary>{inside}</details>"


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str = "",
    *,
    here: Callable[[Sequence[str]], bool] = lambda _: False,
    told: bool = False,
) -> str:
    """A table of cells that are HTML already, which a narrow page scrolls.

    The last column of one that is `told` is prose; rows that are `here` stand out.
    """
    says = len(heads) - 1 if told else None
    head = "".join(f'<th scope="col"{_says(at, says)}>{one}</th>' for at, one in enumerate(heads))
    body = "".join(_row(row, says, here=here(row)) for row in rows)
    titled = f"<caption>{caption}</caption>" if caption else ""
    kind = ' class="told"' if told else ""
    return (
        f'<div class="scroll" tabindex="0"><table{kind}>{titled}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[str], says: int | None, *, here: bool) -> str:
    first, *others = row
    cells = "".join(f"<td{_says(at, says)}>{one}</td>" for at, one in enumerate(others, 1))
    kind = ' class="here"' if here else ""
    return f'<tr{kind}><th scope="row">{first}</th>{cells}</tr>'


def _says(at: int, says: int | None) -> str:
    return ' class="says"' if at == says else ""


def text(foreign: str) -> str:
    """Foreign text as HTML; what is no character at all is shown as missing."""
    return escape("".join(c if c in "\n\t" or c >= " " else "\ufffd" for c in foreign))
