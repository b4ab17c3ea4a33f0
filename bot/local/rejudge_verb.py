"""The verb `rejudge`: past cases under another model or threshold, before anyone turns the knob."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from bot import settings
from bot.cases import Case
from bot.errors import Refused
from bot.local.terminal import show
from bot.rejudging import Judge, Rejudged, Side, Tally, by_threshold, judged, rejudged
from bot.thresholds import checked
from bot.verdicts import Classifier, Verdict, judge, line_of
from bot.wiring import Parts

LONGEST_TEXT: Final = 80
"""Characters of a post that the table shows."""
_HEADER: Final = "  ".join(
    (
        f"{'case':<19}",
        f"{'came in (UTC)':<16}",
        f"{'p(escalate)':<11}",
        f"{'route':<17}",
        f"{'label':<6}",
        "text",
    )
)


def add_options(verb: ArgumentParser) -> None:
    """Gives the verb its options."""
    verb.add_argument("--since", metavar="D", help="cases that came in since then: 2026-11-02")
    verb.add_argument("--until", metavar="D", help="and until then, that day included (UTC)")
    verb.add_argument("--model", type=Path, metavar="FILE", help="judge by this model archive")
    verb.add_argument("--threshold", metavar="T", help="and by this threshold, 0 to 1")
    verb.add_argument("--limit", type=int, metavar="N", help="the newest so many, and no more")


def rejudge(arguments: Namespace, environment: Mapping[str, str]) -> int:
    """Counts and lists the cases that would have gone the other way.

    By the model and threshold in force where neither is named: what a new model makes of the past.
    """
    parts = Parts(settings.read(environment))
    since, until = _moment(arguments.since), _moment(arguments.until, whole_day=True)
    if since and until and since > until:
        raise Refused("--since lies after --until: no case came in then.")
    other, by = _other(arguments, parts)
    cases = islice(judged(parts.store.newest(until, since)), _limit(arguments.limit))
    tally = Tally()
    with tqdm(unit=" cases", disable=None, leave=False) as bar:
        for one in rejudged(cases, other, parts.terms):
            tally.add(one)
            bar.update()
            if one.turn != "stay":
                first = tally.whole.cases == tally.side("stay").cases + 1
                _tell(arguments, one, header=first)
    show(arguments, {"summary": _summary(tally, by())}, "\n".join(_told(tally, by())))
    return 0


def _other(arguments: Namespace, parts: Parts) -> tuple[Judge, Callable[[], str]]:
    """What judges the cases again, and how it is called once it has answered."""
    chosen = None if arguments.threshold is None else checked(arguments.threshold)
    if chosen is not None and arguments.model is None:
        return by_threshold(chosen), lambda: f"the threshold {chosen:g}"
    classifier = _model(arguments.model) if arguments.model else parts.classifier
    threshold = parts.thresholds() if chosen is None else chosen

    def by() -> str:
        return f"{classifier.model} at the threshold {line_of(classifier, threshold):g}"

    def other(cases: Sequence[Case]) -> Sequence[Verdict]:
        return judge([case.tweet.text for case in cases], classifier, threshold)

    return other, by


def _model(path: Path) -> Classifier:
    from bot.classifier.embedded import EmbeddedClassifier  # noqa: PLC0415

    return EmbeddedClassifier(path)


def _moment(written: str | None, *, whole_day: bool = False) -> datetime | None:
    """A moment, in UTC unless it says its zone; of a day its end where it is to be whole."""
    if written is None:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return _time(written)
    return datetime.combine(day, time.max if whole_day else time.min, UTC)


def _time(written: str) -> datetime:
    try:
        at = datetime.fromisoformat(written)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(
            f"«{written:.40}» is no day: write 2026-11-02, or 2026-11-02T09:30 (UTC)."
        ) from None


def _limit(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise Refused("--limit is how many cases are judged again: 1 at least.")
    return limit


def _tell(arguments: Namespace, one: Rejudged, *, header: bool) -> None:
    with tqdm.external_write_mode(file=sys.stdout):
        if header and not arguments.json:
            print(_HEADER)  # noqa: T201
        show(arguments, _row(one), _line(one))


def _row(one: Rejudged) -> dict[str, Any]:
    case = one.case
    sides = zip((case.verdict, one.after), one.routes, strict=True)
    before, after = (
        {
            "probability": verdict and verdict.probability,
            "threshold": verdict and verdict.threshold,
            "model": verdict and verdict.model,
            "route": route,
        }
        for verdict, route in sides
    )
    return {
        "tweet_id": case.id,
        "received_at": case.received_at.isoformat(),
        "text": case.tweet.text,
        "before": before,
        "after": after,
        "label": case.label and case.label.escalate,
    }


def _line(one: Rejudged) -> str:
    case, label = one.case, one.case.label
    before = case.verdict.probability if case.verdict else 0.0
    said = "-" if label is None else "needed" if label.escalate else "not"
    text = " ".join(case.tweet.text.split())[:LONGEST_TEXT]
    columns = (
        f"{case.id:<19}",
        f"{case.received_at:%Y-%m-%d %H:%M}",
        f"{before:.2f} → {one.after.probability:.2f}",
        f"{' → '.join(one.routes):<17}",
        f"{said:<6}",
        text,
    )
    return "  ".join(columns)


def _summary(tally: Tally, by: str) -> dict[str, Any]:
    def numbers(side: Side) -> dict[str, int]:
        return {"cases": side.cases, "labelled": side.labelled, "needed_a_person": side.needed}

    return {
        "by": by,
        **numbers(tally.whole),
        "newly_escalate": numbers(tally.side("more")),
        "no_longer_escalate": numbers(tally.side("fewer")),
        "stay": numbers(tally.side("stay")),
        "days": round(tally.days, 2),
        "more_cards_a_day": round(tally.cards_a_day, 2),
        "missed_before": tally.missed_before,
        "missed_after": tally.missed_after,
    }


def _told(tally: Tally, by: str) -> Iterator[str]:
    whole = tally.whole
    if not whole.cases:
        yield "No case that was judged came in then."
        return
    days = _many(round(tally.days), "day")
    yield f"{_many(whole.cases, 'case')} of {days}, judged again by {by}:"
    yield f"  newly escalate      {_side(tally.side('more'))}"
    yield f"  no longer escalate  {_side(tally.side('fewer'))}"
    yield f"  stay                {_side(tally.side('stay'))}"
    yield f"Cards: {_more(tally.cards_a_day)}."
    if whole.needed:
        yield (
            f"Needed a person, said agents: {whole.needed:,}. Missed of these: "
            f"{tally.missed_before:,} as they were judged, {tally.missed_after:,} by {by}."
        )
    else:
        yield "No agent labelled one that needed a person, so nobody knows whom this would miss."


def _more(cards: float) -> str:
    if abs(cards) < 0.05:  # noqa: PLR2004  what rounds to nothing
        return "as many a day as now"
    return f"{abs(cards):,.1f} {'fewer' if cards < 0 else 'more'} a day"


def _side(side: Side) -> str:
    if not side.labelled:
        return f"{side.cases:>7,}  (none labelled)"
    said = f"{side.needed:,} needed a person, {side.labelled - side.needed:,} did not"
    return f"{side.cases:>7,}  ({side.labelled:,} labelled: {said})"


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
