"""The report's page (`report.html`), section by section."""

from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import starmap
from string import Template
from typing import Final

from bot.learning.evaluating.costs import Cost
from bot.learning.evaluating.evaluation import SCORE_BINS, Evaluation
from bot.learning.evaluating.mistakes import MISTAKES
from bot.learning.evaluating.slices import Share, Slice
from bot.learning.reporting import markup, plots, prose
from bot.learning.reporting.markup import text
from bot.learning.reporting.quoted import quoted
from bot.learning.reporting.told import Report, Result

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "length": ("By length", "characters"),
    "language": ("By language", "language"),
    "hour": ("By hour of the day (UTC)", "hour"),
}
_ALONE: Final = (
    "The model alone is measured. Your rules (words, handles and languages that always or never "
    "escalate) come on top of it at work."
)
_UNKNOWN: Final = (
    "A post without a word that the model knows becomes a card by rule. It counts as one at every "
    "threshold, and is left out of the promises and the spread of scores. An endpoint does not "
    "tell which words it knows: there, only posts without any word are such."
)
_BRACKETS: Final = "Brackets of shares are Wilson's intervals, with 95 % certainty."
_COMPARED: Final = (
    "Two models are compared on the same posts, each at its own threshold: by McNemar's exact "
    "test, and by the paired bootstrap of their differences."
)
_STEP: Final = 5
"""Of the thresholds every fifth stands in the table."""


def html(report: Report) -> str:
    """The page."""
    found, costs = report.result.evaluation, report.result.evaluation.costs
    names = ", ".join(source.name for source in report.sources)
    template = resources.files(__package__).joinpath("report.html").read_text("utf-8")
    return Template(template).substitute(
        title=text(f"How well {found.model} judges"),
        subtitle=text(
            f"{prose.counted(found.figures.rows, 'labelled post')} from {names}; "
            f"{found.needing:,} of them needed a person. This page quotes customers: share it as "
            "you would share their posts."
        ),
        cautions=_cautions(report.cautions),
        short=_short(found),
        comparison=_comparison(report),
        threshold=f"{found.figures.threshold:.2f}",
        confusion=_confusion(found),
        miss_costs=f"{costs.miss_costs:g}",
        advice=text(prose.advice(found)),
        costs=_costs(found),
        believed=text(prose.believed(found)),
        calibration=_calibration(found),
        kinds="".join(starmap(_kind, found.kinds.items())),
        most=MISTAKES,
        mistakes=quoted(report.mistakes),
        figures=_figures(report.result),
        how=_how(report),
    )


def _cautions(cautions: Sequence[str]) -> str:
    if not cautions:
        return ""
    inside = "".join(f"<p>{text(caution)}</p>" for caution in cautions)
    return f'<div class="caution" role="note" aria-label="Before you read on">{inside}</div>'


def _short(found: Evaluation) -> str:
    cards = found.figures.hits + found.figures.alarms
    per = 1_000 / found.figures.rows
    big = (
        ("need", "Caught", prose.shared(found.recall), "of those who needed a person got a card"),
        ("none", "Needed", prose.shared(found.precision), "of the cards were for a person"),
        ("mark", "Cards", f"{cards * per:,.0f}", "cards of 1,000 such posts"),
        ("need", "Missed", f"{found.figures.misses * per:,.0f}", "people missed in 1,000 posts"),
    )
    return '<dl class="big">' + "".join(map(_big, big)) + "</dl>"


def _big(one: tuple[str, str, str, str]) -> str:
    kind, name, value, says = one
    number, _, bracket = value.partition(" (")
    more = f" ({bracket}" if bracket else ""
    return (
        f'<div class="{kind}"><dt>{name}</dt><dd><strong>{number}</strong>{says}{more}</dd></div>'
    )


def _confusion(found: Evaluation) -> str:
    counted = found.figures
    rows = [
        ("Needs one of us", _good(counted.hits, "caught"), _bad(counted.misses, "missed")),
        ("Needs none", _bad(counted.alarms, "needless"), _good(counted.passed, "left to the bot")),
    ]
    return markup.table(("A person said", "A card", "No card"), rows)


def _good(count: int, says: str) -> str:
    return f'{count:,} <span class="good">{says}</span>'


def _bad(count: int, says: str) -> str:
    return f'{count:,} <span class="bad">{says}</span>'


def _comparison(report: Report) -> str:
    if not report.comparison or not report.against:
        return ""
    one, other = report.result, report.against
    said = "".join(f"<p>{text(line)}</p>" for line in prose.outcome(report.comparison))
    heads = ("Figure", text(one.evaluation.model), text(other.evaluation.model))
    both = zip(prose.measures(one), prose.measures(other), strict=True)
    rows = [(mine[0], mine[1], its[1]) for mine, its in both]
    rows = [("Threshold", _threshold(one), _threshold(other)), *rows]
    return (
        '<section aria-labelledby="against"><h2 id="against">Against '
        f"{text(other.evaluation.model)}</h2><p><strong>{text(report.comparison.sentence)}"
        f"</strong></p>{said}{markup.table(heads, rows)}</section>"
    )


def _threshold(result: Result) -> str:
    return f"{result.evaluation.figures.threshold:.3f}"


def _costs(found: Evaluation) -> str:
    costs = found.costs
    shown = [point for at, point in enumerate(costs.points) if at % _STEP == 0]
    marked_rows = sorted(
        [*shown, costs.now, costs.cheapest], key=lambda point: (point.threshold, point.cost)
    )
    rows = [_cost(point, found) for point in dict.fromkeys(marked_rows)]
    heads = ("Threshold", "Cards", "Needless", "Missed", "Cost")
    table = markup.table(heads, rows, "Per 1,000 posts; cost in needless cards", here=_is_marked)
    cost = (
        "What each threshold costs. The shaded stretch costs nearly as little as the cheapest.",
        plots.cost(costs),
    )
    load = ("What each threshold makes of 1,000 posts.", plots.load(costs))
    says = prose.advice(found)
    return markup.plots([(*cost, says), (*load, says)]) + markup.details(table)


def _cost(point: Cost, found: Evaluation) -> tuple[str, ...]:
    names = [
        name
        for name, other in (("in force", found.costs.now), ("cheapest", found.costs.cheapest))
        if point == other
    ]
    name = f"{point.threshold:.2f}" + (f" ({', '.join(names)})" if names else "")
    return (
        name,
        *(f"{one:,.0f}" for one in (point.cards, point.needless, point.missed)),
        f"{point.cost:,.0f}",
    )


def _is_marked(row: Sequence[str]) -> bool:
    return "(" in row[0]


def _calibration(found: Evaluation) -> str:
    threshold = found.figures.threshold
    promises = [
        (prose.percent(one.said), prose.shared(one.true), f"{one.true.whole:,}")
        for one in found.promises
    ]
    scores = [
        (f"{at / SCORE_BINS:.2f} to {(at + 1) / SCORE_BINS:.2f}", f"{needing:,}", f"{others:,}")
        for at, (needing, others) in enumerate(
            zip(found.spread.needing, found.spread.others, strict=True)
        )
    ]
    kept = (
        "Promises: what it said, and what share then needed a person.",
        plots.promises(found.promises),
        prose.believed(found),
    )
    spread = (
        "How it spreads its scores. The farther apart the two sides, the better it tells them.",
        plots.spread(found.spread, threshold),
        f"Scores of both sides in {SCORE_BINS} steps; the table has the counts.",
    )
    first = markup.table(("It said", "Needed a person", "Posts"), promises)
    second = markup.table(("Score", "Needed a person", "Did not"), scores)
    return markup.plots([kept, spread]) + markup.details(first + second)


def _kind(kind: str, slices: Sequence[Slice]) -> str:
    title, head = _KINDS[kind]
    rows = [_slice(one) for one in slices]
    heads = (head.capitalize(), "Posts", "Needed a person", "Caught", "Cards needed", "F1", "Right")
    table = markup.table(heads, rows)
    if not any(one.recall for one in slices):
        return f"<div><h3>{title}</h3>{table}</div>"
    says = f"People caught, by {head}: " + "; ".join(
        f"{one.name}: {prose.shared(one.recall)}" for one in slices if one.recall
    )
    plot = markup.plot(("People caught, of those who needed us.", plots.caught(kind, slices), says))
    return f"<div><h3>{title}</h3>{plot}{markup.details(table)}</div>"


def _slice(one: Slice) -> tuple[str, ...]:
    counts = (f"{one.rows:,}", f"{one.needing:,}")
    shares = (_ranged(one.recall), _ranged(one.precision))
    return (text(one.name), *counts, *shares, f"{one.f1:.3f}", _ranged(one.accuracy))


def _ranged(share: Share | None) -> str:
    value, bracket, rest = prose.shared(share).partition("(")
    return f'{value}<span class="range">{bracket}{rest}</span>' if bracket else "–"


def _figures(result: Result) -> str:
    return markup.table(
        ("Figure", "Value", "95 %", "What it means"), prose.measures(result), told=True
    )


def _how(report: Report) -> str:
    unknown = f"In these files they are {report.result.evaluation.unknown:,}."
    said = [_ALONE, f"{_UNKNOWN} {unknown}", _BRACKETS]
    if report.draws:
        said.append(
            f"Those of F1 and PR-AUC come from {report.draws:,} draws of the bootstrap with seed "
            f"{report.seed}."
        )
    if report.comparison:
        said.append(_COMPARED)
    files = "".join(
        f"<p>{text(source.name)}: SHA-256 <code>{source.sha256}</code></p>"
        for source in report.sources
    )
    return "".join(f"<p>{text(line)}</p>" for line in said) + files
