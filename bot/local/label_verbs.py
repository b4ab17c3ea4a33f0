"""The verbs of `python -m bot labels` that look: what people said, in sum, and what to ask next."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bot import settings
from bot.errors import Refused
from bot.labels import Lesson, Statistics, Tally, conflicts, statistics
from bot.local.label_files import TELL_ABOVE, export, import_, write_questions
from bot.local.lessons import all_lessons, heard, watched
from bot.local.stages.staged import hints
from bot.local.terminal import printable, show
from bot.unlabelled import Question, Unknown, to_ask
from bot.verdicts import Classifier, Verdict
from bot.wire import time_of
from bot.wiring import Parts

LONGEST_TEXT: Final = 100
"""Characters of a text in a line."""
MOST_NEXT: Final = 1_000
_MOST_CONFLICTS: Final = 10

Environment = Mapping[str, str]
Add = Callable[[str, Callable[[Namespace, Environment], int], str], ArgumentParser]


def add_verbs(add: Add) -> None:
    """Registers the verbs; `add` makes one of its name, its work and what it says."""
    one = add("list", show_labels, "who said what of which post, the last first")
    one.add_argument("--corrections", action="store_true", help="only where the model was wrong")
    one.add_argument("--conflicts", action="store_true", help="only labels that contradict others")
    one.add_argument("--since", metavar="D", help="given since then: 2026-11-02 (UTC)")
    one.add_argument("--by", metavar="WHO", help="given by that person")
    one = add("export", export, "the labels as a CSV file for `train`")
    one.add_argument("file", metavar="FILE.csv", help="where to, - is standard output")
    one.add_argument("--with-conflicts", action="store_true", help="contradictions too")
    one.add_argument(
        "--spreadsheet", action="store_true", help="safe to open in one: no formulas, whole ids"
    )
    one = add("import", import_, "labels made elsewhere: columns tweet_id and escalate")
    one.add_argument("file", type=Path, metavar="FILE.csv", help="optional columns: who, at")
    one.add_argument("--who", default="import", metavar="NAME", help="who gave them; import unsaid")
    one.add_argument("--overrule", action="store_true", help="they win over what others said")
    aloud = one.add_mutually_exclusive_group()
    aloud.add_argument("--quiet", action="store_true", help="label only: nothing goes to Slack")
    aloud.add_argument(
        "--tell", action="store_true", help=f"cards and lines, be they more than {TELL_ABOVE}"
    )
    add("stats", stats, "the labels in numbers: how many, whose, where they overrule the model")
    one = add("next", next_labels, "the posts whose label would teach the model most")
    one.add_argument(
        "--count", type=int, default=20, metavar="N", help="at most so many; 20 unsaid"
    )
    one.add_argument(
        "--output", type=Path, metavar="FILE.csv", help="a table to fill in, for `labels import`"
    )


def show_labels(arguments: Namespace, environment: Environment) -> int:
    """The labels, the last first."""
    since = _since(arguments.since)
    lessons = all_lessons(Parts(settings.read(environment)).store)
    contradict = conflicts(lessons).ids
    shown = 0
    for lesson in lessons:
        passed_over = (
            (arguments.corrections and not lesson.overruled)
            or (arguments.conflicts and lesson.id not in contradict)
            or (since is not None and lesson.at < since)
            or (arguments.by is not None and lesson.who != arguments.by)
        )
        if not passed_over:
            shown += 1
            in_conflict = lesson.id in contradict
            show(arguments, _row(lesson, in_conflict), _line(lesson, in_conflict))
    if not shown:
        _say(_NONE_LIKE_THAT if lessons else _NONE_YET, arguments)
    return 0


_NONE_YET: Final = (
    "Nobody has labelled a post yet: `python -m bot labels next` lists posts that want a label."
)
_NONE_LIKE_THAT: Final = (
    "None of the labels is like that: `python -m bot labels list` shows them all."
)
_NONE_TO_ASK: Final = "There is nothing to ask: no unlabelled post would teach the model much."


def _say(sentence: str, arguments: Namespace) -> None:
    if not arguments.json:
        print(printable(_here(sentence, arguments)), file=sys.stderr)  # noqa: T201


def _since(written: str | None) -> datetime | None:
    at = time_of(written) if written else None
    if written and at is None:
        raise Refused(f"«{written:.40}» is no day: write 2026-11-02, or 2026-11-02T09:30 (UTC).")
    return at


def _row(lesson: Lesson, in_conflict: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "tweet_id": lesson.id,
        "text": lesson.text,
        "escalate": lesson.escalate,
        "who": lesson.who,
        "at": lesson.at.isoformat(),
        "model": lesson.model,
        "said": lesson.said,
        "confidence": lesson.confidence,
        "route": lesson.did,
        "correction": lesson.overruled,
        "conflict": in_conflict,
        "edited": lesson.edited,
        "words": [
            {"escalate": word.escalate, "who": word.who, "at": word.at.isoformat()}
            for word in lesson.words
        ],
    }


def _line(lesson: Lesson, in_conflict: bool) -> str:  # noqa: FBT001
    needs = "a person" if lesson.escalate else "nobody"
    said = {True: "escalate", False: "answer", None: "nothing"}[lesson.said]
    sure = "" if lesson.confidence is None else f" {lesson.confidence:.0%}"
    marks = [{True: "corrected", False: "agreed", None: "-"}[lesson.overruled]]
    marks += ["conflict"] if in_conflict else []
    marks += ["edited since"] if lesson.edited else []
    text = " ".join(lesson.text.split())[:LONGEST_TEXT]
    return (
        f"{lesson.at:%Y-%m-%d %H:%M}  {lesson.who:<12}  {needs:<8}  model: {said + sure:<13}  "
        f"{', '.join(marks):<9}  {lesson.id:<19}  {text}"
    )


def stats(arguments: Namespace, environment: Environment) -> int:
    """The labels in numbers."""
    found = statistics(all_lessons(Parts(settings.read(environment)).store))
    show(arguments, _numbers(found), _here("\n".join(_told(found)), arguments))
    return 0


def _here(told: str, arguments: Namespace) -> str:
    return hints(told, arguments.stage) if arguments.stage else told


def _numbers(found: Statistics) -> dict[str, Any]:
    return {
        **_counts(found.whole),
        "needing": found.needing,
        "judged": found.judged,
        "said_answer": found.answer,
        "said_escalate": found.escalate,
        "unseen": found.unseen,
        "edited": found.edited,
        "by": {who: _counts(tally) for who, tally in found.by},
        "weeks": {week.isoformat(): _counts(tally) for week, tally in found.weeks},
        "confidence": [
            {"from": band.low, "labels": band.labels, "agreed": band.agreed} for band in found.bands
        ],
        "conflicts": {
            "texts": [[lesson.id for lesson in group] for group in found.conflicts.texts],
            "cases": [lesson.id for lesson in found.conflicts.cases],
        },
    }


def _counts(tally: Tally) -> dict[str, int]:
    return {
        "labels": tally.labels,
        "missed": tally.missed,
        "false_alarms": tally.false_alarms,
    }


def _told(found: Statistics) -> Iterator[str]:
    whole, needless = found.whole, found.whole.labels - found.needing
    yield f"{whole.labels} labels: {found.needing} need a person, {needless} nobody."
    if not whole.labels:
        return
    yield (
        f"missed        {whole.missed:>5} of {found.answer} that were to be answered needed a "
        f"person; {found.unseen} of those who needed one had no card"
    )
    yield f"false alarms  {whole.false_alarms:>5} of {found.escalate} that escalated needed nobody"
    yield "These are the posts that people chose to label: they tell where the model errs, not how"
    yield "often. For that, label what `python -m bot labels next` marks as check."
    if found.edited:
        yield f"{found.edited} were edited by their authors since, and are not exported."
    yield from _tallies("by", found.by)
    weeks = [(f"{week:%Y-%m-%d}", tally) for week, tally in found.weeks]
    yield from _tallies("week of", weeks)
    yield f"\n{'the model was':<18}{'labels':>8}{'agreed':>10}"
    for band in found.bands:
        sure = f"{band.low:.0%} to {band.low + 0.1:.0%} sure"
        yield f"{sure:<18}{band.labels:>8}{band.agreed / band.labels:>10.0%}"
    yield from _contradictions(found)


def _tallies(title: str, tallies: Iterable[tuple[str, Tally]]) -> Iterator[str]:
    yield f"\n{title:<18}{'labels':>8}{'missed':>10}{'false alarms':>14}"
    for name, tally in tallies:
        yield (
            f"{name or 'unknown':<18}{tally.labels:>8}{tally.missed:>10}{tally.false_alarms:>14}"
        )


def _contradictions(found: Statistics) -> Iterator[str]:
    texts, disputed = found.conflicts.texts, found.conflicts.cases
    yield f"\nconflicts: {len(texts)} texts with both labels, {len(disputed)} cases in dispute"
    for group in texts[:_MOST_CONFLICTS]:
        sides = (f"{one.id} {'a person' if one.escalate else 'nobody'}" for one in group)
        yield f"  {_short(group[0])}: {', '.join(sides)}"
    for one in disputed[:_MOST_CONFLICTS]:
        words = (f"{word.who} {'a person' if word.escalate else 'nobody'}" for word in one.words)
        yield f"  {_short(one)} ({one.id}): {', then '.join(words)}"
    if len(texts) > _MOST_CONFLICTS or len(disputed) > _MOST_CONFLICTS:
        yield "  and more: `python -m bot labels list --conflicts`"


def _short(lesson: Lesson) -> str:
    return f"«{' '.join(lesson.text.split())[:60]}»"


def next_labels(arguments: Namespace, environment: Environment) -> int:
    """The posts whose label would teach most."""
    if not 1 <= arguments.count <= MOST_NEXT:
        raise Refused(f"--count is how many posts are listed: 1 to {MOST_NEXT:,}.")
    parts = Parts(settings.read(environment))
    desk, store = parts.desk, parts.store
    unknown = _unknown(None if parts.settings.classifier == "sagemaker" else parts.classifier)
    cases = heard(watched(store), store)
    questions = to_ask(cases, arguments.count, desk.rules, desk.unsure_margin, unknown)
    if not questions:
        _say(_NONE_TO_ASK, arguments)
    elif arguments.output is not None:
        _write(questions, arguments)
        return 0
    for question in questions:
        text = " ".join(question.text.split())[:LONGEST_TEXT]
        plain = f"{question.why:<9}  {question.id:<19}  {text}\n{'':<11}{question.reason}"
        show(arguments, _asked(question), plain)
    return 0


def _write(questions: Sequence[Question], arguments: Namespace) -> None:
    write_questions(arguments.output, questions)
    filled = f"python -m bot labels import {arguments.output}"
    posts = "1 post" if len(questions) == 1 else f"{len(questions)} posts"
    told = f"Wrote {posts}: fill in escalate (yes or no), then `{filled}`."
    row = {"file": str(arguments.output), "posts": len(questions)}
    show(arguments, row, _here(told, arguments))


def _asked(question: Question) -> dict[str, Any]:
    return {
        "tweet_id": question.id,
        "text": question.text,
        "why": question.why,
        "reason": question.reason,
        "probability": question.probability,
        "threshold": question.threshold,
        "route": question.route,
        "url": question.url,
    }


def _unknown(classifier: Classifier | None) -> Unknown:
    """Asks a model about words one by one, which only one in this process bears."""

    def share(verdict: Verdict, words: Sequence[str]) -> float:
        if not verdict.known or classifier is None or verdict.model != classifier.model:
            return 0.0 if verdict.known else 1.0
        return sum(one is None for one in classifier.probabilities(words)) / max(len(words), 1)

    return share
