"""The verb `drift`: week by week, whether the model still fits what comes in."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from bot import settings
from bot.chance import BINS
from bot.drift import BEFORE, FEWEST, Examined, Learnt, examined
from bot.errors import Misconfigured, Refused
from bot.local.terminal import printable, show
from bot.weekly import Figures, figures, to_json
from bot.wiring import Parts

MOST_WEEKS: Final = 52
CANNOT_TELL: Final = "cannot tell"
"""The conclusion of a week that was compared with nothing."""
_COLUMNS: Final = "{:<10}  {:<20}  {:>7}  {:>9}  {:>5}  {:>7}  {:>15}  {:>8}  {}"
_NO_FILE: Final = "Its words and training data are not looked at: {} Name it by --model FILE."


def add_options(verb: ArgumentParser) -> None:
    """Gives the verb its options."""
    verb.add_argument(
        "--weeks", type=int, default=4, metavar="N", help="whole weeks back; 4 unsaid"
    )
    verb.add_argument(
        "--model", type=Path, metavar="FILE", help="the model in service, where it is an endpoint's"
    )


def drift(arguments: Namespace, environment: Mapping[str, str]) -> int:
    """The figures of the last whole weeks and of this one so far; 1 where it is time to retrain."""
    if not 1 <= arguments.weeks <= MOST_WEEKS:
        raise Refused(f"--weeks is how many weeks are shown: 1 to {MOST_WEEKS}.")
    parts = Parts(settings.read(environment))
    learnt = _with_others(_learnt(arguments, parts), parts)
    weeks = list(_weeks(parts, arguments.weeks, learnt))
    found = [
        examined(week, learnt, weeks[place + 1 : place + 1 + BEFORE])
        for place, week in enumerate(weeks[: arguments.weeks + 1])
    ]
    if not arguments.json:
        print(_COLUMNS.format(*_HEADER))  # noqa: T201
    for one in found:
        show(arguments, _row(one), _line(one))
    last = next((one for one in found if one.week.posts >= FEWEST), found[0])
    if not arguments.json:
        print(f"\nThe week from {last.week.since:%Y-%m-%d}:", *last.said, sep="\n  ")  # noqa: T201
    return 1 if last.conclusion == "retrain" else 0


def _learnt(arguments: Namespace, parts: Parts) -> Learnt | None:
    if arguments.model:
        from bot.classifier.learnt import learnt  # noqa: PLC0415

        # An endpoint's model is called otherwise than its file.
        return replace(learnt(arguments.model), model=_in_service(parts))
    try:
        return parts.learnt()
    except Misconfigured as error:
        if arguments.stage is None:
            raise
        print(_NO_FILE.format(printable(str(error))), file=sys.stderr)  # noqa: T201
        return None


def _with_others(learnt: Learnt | None, parts: Parts) -> Learnt:
    """Weeks from before a publication were judged by another model than the one in service."""
    from bot.classifier.learnt import PUBLICATION, baselines  # noqa: PLC0415

    others = baselines(parts.store.note(PUBLICATION))
    return replace(learnt or Learnt(""), others=others)


def _in_service(parts: Parts) -> str:
    judged = (case.verdict for case in parts.store.newest())
    return next((verdict.model for verdict in judged if verdict), "")


def _weeks(parts: Parts, number: int, learnt: Learnt) -> Iterator[Figures]:
    """The week so far, those asked for, and those that the first of them is compared with."""
    words = {learnt.model: learnt.words} if learnt.words else {}
    now = parts.clock()
    since, until = parts.checkups.week(now)
    edges = [(until, now), (since, until)]
    more = 0 if learnt.baseline else BEFORE
    while len(edges) <= number + more:
        edges.append(parts.checkups.week(edges[-1][0]))
    with tqdm(unit=" cases", disable=None, leave=False) as bar:
        for begin, end in edges:
            yield figures(_counted(parts, begin, end, bar), begin, end, words)


def _counted(parts: Parts, since: datetime, until: datetime, bar: Any) -> Iterator[Any]:
    for case in parts.store.newest(until, since):
        bar.update()
        yield case


_HEADER: Final = (
    "week from",
    "model",
    "posts",
    "reach 0.5",
    "shift",
    "unknown",
    "corrected",
    "expected",
    "conclusion",
)


def _line(one: Examined) -> str:
    week = one.week
    high = sum(week.scores[BINS // 2 :]) / week.posts if week.posts else None
    return _COLUMNS.format(
        f"{week.since:%Y-%m-%d}",
        (week.model or "-")[:20],
        f"{week.posts:,}",
        _percent(high),
        "-" if one.shift is None else f"{one.shift:.2f}",
        _percent(week.unknown_share),
        _corrected(week),
        _percent(one.promised),
        one.conclusion if one.against else CANNOT_TELL,
    )


def _corrected(week: Figures) -> str:
    share = week.wrong_share
    return "-" if share is None else f"{week.wrong:,} of {week.looked_at:,} ({share:.0%})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _row(one: Examined) -> dict[str, Any]:
    week = to_json(one.week)
    if not one.week.words:
        week |= {"words": None, "unknown": None}
    return {
        **week,
        "posts": one.week.posts,
        "against": one.against,
        "shift": one.shift,
        "mistakes_expected": one.promised,
        "conclusion": one.conclusion if one.against else CANNOT_TELL,
        "said": list(one.said),
    }
