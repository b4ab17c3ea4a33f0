"""The report's plots, as SVG that lies in the page itself and takes its colours.

The same figures give the same bytes: no date, and ids from a salt of their own ("svg.hashsalt",
Matplotlib's "Customizing Matplotlib with style sheets and rcParams").
"""

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.learning.evaluating.costs import Costs
from bot.learning.evaluating.evaluation import SCORE_BINS, Promise, Spread
from bot.learning.evaluating.slices import Share, Slice

INK, SOFT, LINE = "#010101", "#020202", "#030303"
NEED, NONE, MARK = "#040404", "#050505", "#060606"
_COLOURS: Final[Mapping[str, str]] = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    NEED: "var(--need)",
    NONE: "var(--none)",
    MARK: "var(--mark)",
}
"""What no plot would show by itself: each stands for a colour of the page, by day and by night."""
_WIDTH: Final = 3.7
_HEIGHT: Final = 2.7
"""Inches, so that letters keep their size on a phone."""
_LONGEST_NAME: Final = 18
_STYLE: Final[Any] = {
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "font.size": 9,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
}
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_FONT: Final = re.compile(r"font-family: [^;\"]+")
_OUTSIDE: Final = re.compile(r' xmlns(:xlink)?="[^"]*"| version="1.1"| (width|height)="[\d.]+pt"')
_GROUP: Final = re.compile(r'<g id="[^"]*">')


def promises(found: Sequence[Promise]) -> str:
    """What was promised against what came true, with intervals; the diagonal is perfect."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1)
        true = [one.true for one in found]
        _whiskers(axes, [one.said for one in found], true, vertical=True)
        _percent(axes, "x", "what the model said")
        _percent(axes, "y", "share that needed a person")

    return _svg("promises", draw)


def spread(found: Spread, threshold: float) -> str:
    """How the scores of both sides are spread, each side as shares of its own."""

    def draw(axes: Axes) -> None:
        edges = [at / SCORE_BINS for at in range(SCORE_BINS + 1)]
        for counts, colour, style, name in (
            (found.needing, NEED, "-", "needed a person"),
            (found.others, NONE, "--", "did not"),
        ):
            whole = sum(counts) or 1
            values = [count / whole for count in counts]
            axes.stairs(values, edges, color=colour, linestyle=style, linewidth=1.8, label=name)
        axes.axvline(threshold, color=MARK, linewidth=1.2, label="threshold in force")
        axes.set_ylim(bottom=0)
        _percent(axes, "x", "what the model said")
        _percent(axes, "y", "share of each side", whole=False)
        _legend(axes, 2)

    return _svg("spread", draw)


def cost(found: Costs) -> str:
    """The cost of each threshold, with the one in force and the cheapest."""

    def draw(axes: Axes) -> None:
        axes.plot(*_line(found, "cost"), color=INK, linewidth=1.8)
        axes.axvspan(*found.near, color=NONE, alpha=0.18, linewidth=0)
        for point, colour, marker, name in (
            (found.now, MARK, "o", f"in force: {found.now.threshold:.2f}"),
            (found.cheapest, NONE, "D", f"cheapest: {found.cheapest.threshold:.2f}"),
        ):
            at = [point.threshold], [point.cost]
            axes.plot(
                *at,
                color=colour,
                marker=marker,
                markersize=7,
                linestyle="",
                clip_on=False,
                label=name,
            )
        _thresholds(axes, "cost per 1,000 posts")

    return _svg("cost", draw)


def load(found: Costs) -> str:
    """How many cards a threshold makes, and whom it misses."""

    def draw(axes: Axes) -> None:
        axes.plot(*_line(found, "cards"), color=INK, linewidth=1.8, label="cards")
        axes.plot(*_line(found, "needless"), color=NONE, linestyle="--", label="needless cards")
        axes.plot(*_line(found, "missed"), color=NEED, linestyle="-.", label="missed people")
        axes.axvline(found.now.threshold, color=MARK, linewidth=1.2, label="in force")
        _thresholds(axes, "of 1,000 posts")

    return _svg("load", draw)


def caught(name: str, slices: Sequence[Slice]) -> str:
    """The share of people caught in each slice, with its interval, one below the other."""
    shown = [one for one in slices if one.recall]

    def draw(axes: Axes) -> None:
        places = [float(place) for place in range(len(shown))]
        _whiskers(axes, places, [one.recall for one in shown if one.recall], vertical=False)
        axes.set_yticks(places, [_short(one.name) for one in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        _percent(axes, "x", "people caught, of those who needed us")

    return _svg(f"caught-{name}", draw, 0.9 + 0.21 * len(shown))


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1].rstrip() + "…"


def _whiskers(
    axes: Axes, places: Sequence[float], shares: Sequence[Share], *, vertical: bool
) -> None:
    values = [one.value for one in shares]
    # An interval of rounded figures may end a hair's breadth before what it is of.
    below = [max(one.value - one.low, 0.0) for one in shares]
    reach = [below, [max(one.high - one.value, 0.0) for one in shares]]
    axes.errorbar(
        places if vertical else values,
        values if vertical else places,
        yerr=reach if vertical else None,
        xerr=None if vertical else reach,
        color=NEED,
        fmt="o",
        markersize=4,
        elinewidth=1.2,
        capsize=2,
    )


def _line(found: Costs, name: str) -> tuple[list[float], list[float]]:
    return [one.threshold for one in found.points], [getattr(one, name) for one in found.points]


def _thresholds(axes: Axes, label: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("threshold")
    axes.set_ylabel(label)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    _legend(axes, 2)


def _legend(axes: Axes, columns: int) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=columns, handlelength=2.4)


def _percent(axes: Axes, axis: str, label: str, *, whole: bool = True) -> None:
    own = axes.xaxis if axis == "x" else axes.yaxis
    own.set_major_formatter(lambda value, _: f"{value:.0%}")
    own.set_label_text(label)
    if whole:
        (axes.set_xlim if axis == "x" else axes.set_ylim)(-0.02, 1.02)


def _svg(name: str, draw: Callable[[Axes], None], height: float = _HEIGHT) -> str:
    drawn = io.StringIO()
    with rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # Letters are drawn by the browser, which has them all.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(drawn, format="svg", transparent=True, metadata=_NO_METADATA)
    return _at_home(drawn.getvalue())


def _at_home(svg: str) -> str:
    """The drawing as an element of the page: with its letters and colours, and nothing else."""
    inside = svg[svg.index("<svg") :]
    head, rest = inside.split(">", 1)
    rest = rest[rest.index("</defs>") + len("</defs>") :]  # a style that would hold for the page
    inside = _OUTSIDE.sub("", head) + ' aria-hidden="true">' + _GROUP.sub("<g>", rest)
    inside = _FONT.sub("font-family: inherit", inside)
    for stand_in, colour in _COLOURS.items():
        inside = inside.replace(stand_in, colour)
    return inside.strip()
