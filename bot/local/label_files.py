"""Labels in files: `labels export`, `labels import`, and the table of `labels next`."""

import csv
import io
import logging
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from bot import deeds, settings, tryouts
from bot.agents import Deed
from bot.cases import Case
from bot.errors import Conflict, Refused
from bot.frozen import frozen
from bot.labels import Lesson, lesson_of, meant
from bot.local.files import Bad, Row, chunks, csv_rows
from bot.local.keeping import keep
from bot.local.lessons import all_lessons, to_learn
from bot.local.terminal import printable, show
from bot.tweets import IDENTITY, clean
from bot.unlabelled import Question
from bot.wire import time_of
from bot.wiring import Parts

TELL_ABOVE: Final = 10
"""Labels of one import that may post to Slack without a word: as many as a burst has not yet."""
LONGEST_NAME: Final = 40
_COLUMNS: Final = (
    "text", "escalate", "created_at", "language", "tweet_id", "who", "at", "model",
)  # fmt: skip
_IDS: Final = ("tweet_id", "id")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How cells begin that a spreadsheet runs (OWASP, "CSV Injection")."""
_ROUNDED: Final = 15
"""Digits of a number that a spreadsheet keeps (Microsoft, "Excel specifications and limits")."""
_NOBODY: Final = frozenset({"bot", "author"})
"""Who a case's story says did what no agent did."""

Environment = Mapping[str, str]


def export(arguments: Namespace, environment: Environment) -> int:
    """The labels as a file to train with, oldest first."""
    given = all_lessons(Parts(settings.read(environment)).store)
    found = to_learn(given, with_conflicts=arguments.with_conflicts)
    if not found.kept:
        raise Refused(
            f"There is nothing to export: of {len(given)} labels, {found.contradicting} contradict "
            f"others and {found.outdated} are on texts that are gone. `python -m bot labels next` "
            "lists posts that want one."
        )
    rows = [_exported(one) for one in found.kept]
    written = _table(_COLUMNS, rows, spreadsheet=arguments.spreadsheet)
    row: dict[str, Any] = {
        "file": arguments.file,
        "labels": len(found.kept),
        "needing": sum(one.escalate for one in found.kept),
        "conflicts": found.contradicting,
        "outdated": found.outdated,
        "formulas": sum(one.text.startswith(_FORMULA) for one in found.kept),
    }
    told = _exported_in_words(row, arguments)
    if arguments.file == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(written)
        print(printable(told), file=sys.stderr)  # noqa: T201
    else:
        _write(Path(arguments.file), written)
        show(arguments, row, told)
    return 0


def _exported(lesson: Lesson) -> list[str]:
    written = lesson.created_at.isoformat() if lesson.created_at else ""
    given = (lesson.id, lesson.who, lesson.at.isoformat(), lesson.model or "")
    return [lesson.text, str(lesson.escalate), written, lesson.language or "", *given]


def _exported_in_words(row: Mapping[str, Any], arguments: Namespace) -> str:
    told = f"Wrote {row['labels']} labels, {row['needing']} of which need a person."
    if row["conflicts"]:
        did = "Among them are" if arguments.with_conflicts else "Left out"
        told += f" {did} {row['conflicts']} that contradict others: see `labels stats`."
    if row["outdated"]:
        told += f" Left out {row['outdated']} whose text is no longer what was labelled."
    if row["formulas"] and not arguments.spreadsheet:
        told += (
            f" A spreadsheet would take {row['formulas']} of the texts for formulas: to look at "
            "them in one, export with --spreadsheet."
        )
    return told


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """Writes a table in which a person fills in the labels.

    Raises `Refused` where it cannot, or where a table is already that somebody may have filled in.
    """
    if path.exists():
        raise Refused(f"{path} is there already: import it, or name another file.")
    columns = ("tweet_id", "escalate", "text", "why", "reason", "url")
    rows = [[one.id, "", one.text, one.why, one.reason, one.url or ""] for one in questions]
    _write(path, _table(columns, rows, spreadsheet=True))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, spreadsheet: bool) -> bytes:
    """As CSV: exact, or with an apostrophe before what a spreadsheet would run or round."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows([[_safe(one) for one in row] for row in rows] if spreadsheet else rows)
    # Without the mark at its beginning Excel takes UTF-8 for something else.
    return text.getvalue().encode("utf-8-sig" if spreadsheet else "utf-8")


def _safe(value: str) -> str:
    rounded = value.isdecimal() and len(value) > _ROUNDED
    return f"'{value}" if rounded or value.startswith(_FORMULA) else value


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner alone."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise Refused(f"{path} is no file: name one to be written.")  # a device is not replaced
    try:
        keep(path, content)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from None


@frozen
class Wanted:
    """A label that a file holds; `at` is when it was given, None where the file does not say."""

    where: str
    case_id: str
    escalate: bool
    who: str
    at: datetime | None


def import_(arguments: Namespace, environment: Environment) -> int:
    """Labels made elsewhere onto their cases."""
    parts = Parts(settings.read(environment))
    logging.getLogger("bot").setLevel(logging.WARNING)  # a line for each deed would drown the rest
    report: Counter[str] = Counter()

    def tell(where: str, problem: object) -> None:
        tqdm.write(printable(f"{where}: {problem}"), file=sys.stderr)

    wanted: list[Wanted] = []
    for found in _read(arguments.file, arguments.who, parts.clock()):
        report["rows"] += 1
        if isinstance(found, Wanted):
            wanted.append(found)
        elif found is None:
            report["empty"] += 1
        else:
            report["refused"] += 1
            tell(found.where, found.problem)
    if not (arguments.quiet or arguments.tell):
        _check_noise(wanted, parts)
    importer = _Importer(parts, overrule=arguments.overrule, quiet=arguments.quiet)
    for one in tqdm(wanted, unit=" labels", disable=None, leave=False):
        try:
            report[importer.take(one)] += 1
        except _Contradiction as problem:
            report["left"] += 1
            tell(one.where, problem)
        except (Refused, Conflict) as problem:
            report["refused"] += 1
            tell(one.where, problem)
    show(arguments, {name: report[name] for name in _REPORTED}, _imported_in_words(report))
    return 1 if report["refused"] or report["left"] else 0


_REPORTED: Final = ("rows", "set", "known", "left", "empty", "refused")


def _imported_in_words(report: Counter[str]) -> str:
    return (
        f"{report['rows']} read: {report['set']} labels set, {report['known']} known before, "
        f"{report['left']} left as people had them, {report['empty']} without a label, "
        f"{report['refused']} refused."
    )


def _read(path: Path, who: str, now: datetime) -> Iterator[Wanted | Bad | None]:
    """The file's rows; None stands for one without a label."""
    try:
        for row in csv_rows(path, _IDS, ("escalate",)):
            if isinstance(row, Bad):
                yield row
                continue
            try:
                yield _wanted(row, who, now)
            except Refused as problem:
                yield Bad(row.where, str(problem))
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None


def _wanted(row: Row, who: str, now: datetime) -> Wanted | None:
    said = (row.values.get("escalate") or "").strip()
    if not said:
        return None
    escalate = meant(said)
    if escalate is None:
        raise Refused(
            f"escalate says «{said:.40}», and must say yes or no (True or False, 1 or 0)."
        )
    case_id = next((row.values[name] or "" for name in _IDS if row.values.get(name)), "")
    case_id = case_id.strip().removeprefix("'")
    if not IDENTITY.fullmatch(case_id):
        raise Refused(f"«{case_id:.40}» is no id of a post; a spreadsheet may have rounded it.")
    name = " ".join(printable(clean(row.values.get("who") or who)).split())[:LONGEST_NAME]
    if not name or name in _NOBODY:
        raise Refused("who must name a person.")
    return Wanted(row.where, case_id, escalate, name, _given(row.values.get("at"), now))


def _given(written: str | None, now: datetime) -> datetime | None:
    if not written or not written.strip():
        return None
    at = time_of(written.strip())
    if at is None or at > now:
        raise Refused(f"at says «{written:.40}», which is no time in the past.")
    return at


class _Contradiction(Refused):
    """Somebody said otherwise, and later as far as we know."""


class _Importer:
    """Gives labels to cases as their agents would. Safe to run twice."""

    def __init__(self, parts: Parts, *, overrule: bool, quiet: bool) -> None:
        self._parts = parts
        self._overrule = overrule
        self._quiet = quiet

    def take(self, wanted: Wanted) -> str:
        """`set`, or `known` where nothing was to be done; raises `Refused` where it cannot be."""
        case = self._parts.store.get([wanted.case_id]).get(wanted.case_id)
        if case is None or case.notice:
            raise Refused(
                f"There is no case {wanted.case_id}: its time may be over, or a spreadsheet has "
                "rounded the id."
            )
        if case.erased:
            raise Refused(f"The post {wanted.case_id} was deleted or erased.")
        if self._parts.opt_outs.opted_out(case.tweet.author):
            raise Refused(f"The author of {wanted.case_id} opted out: nothing is learnt from them.")
        lesson = lesson_of(case)
        if lesson and lesson.escalate == wanted.escalate:
            return self._confirm(lesson, wanted)
        if lesson and not (self._overrule or (wanted.at and wanted.at > lesson.at)):
            raise _Contradiction(_contradicts(lesson))
        self._set(case, wanted)
        return "set"

    def _confirm(self, lesson: Lesson, wanted: Wanted) -> str:
        """The same word again says something only where the first is in doubt."""
        settles = lesson.disputed and all(word.who != wanted.who for word in lesson.words)
        if not (settles or (lesson.edited and wanted.at and wanted.at > lesson.at)):
            return "known"
        self._note(wanted)
        return "set"

    def _set(self, case: Case, wanted: Wanted) -> None:
        parts = self._parts
        if not tryouts.came_in(case):
            tryouts.labelled(parts.store, case, wanted.escalate, wanted.who, parts.clock())
        elif self._quiet:
            self._note(wanted)
        else:
            deed = Deed("relabel", case.id, wanted.who, escalate=wanted.escalate)
            parts.agents.act(deed)

    def _note(self, wanted: Wanted) -> None:
        now = self._parts.clock()

        def labelled(case: Case) -> Case:
            if case.erased:
                return case
            return deeds.labelled(case, wanted.who, now, escalate=wanted.escalate)

        self._parts.store.change(wanted.case_id, labelled)


def _contradicts(lesson: Lesson) -> str:
    needs = "a person" if lesson.escalate else "nobody"
    return (
        f"{lesson.who or 'somebody'} said on {lesson.at:%Y-%m-%d} that {lesson.id} needs {needs}: "
        "it stays so, unless you import with --overrule."
    )


def _check_noise(wanted: Sequence[Wanted], parts: Parts) -> None:
    """Raises `Refused` where so many labels would flood the channel and nobody said they may."""
    if not parts.channels.cards_queued:
        return
    heard = 0
    for chunk in chunks(wanted, 100):
        cases = parts.store.get([one.case_id for one in chunk])
        heard += sum(_is_heard(cases.get(one.case_id), escalate=one.escalate) for one in chunk)
    if heard > TELL_ABOVE:
        raise Refused(
            f"{heard} of these labels would post to the channel, as a card or as a line in its "
            "thread: say --tell if they shall, or --quiet to label only."
        )


def _is_heard(case: Case | None, *, escalate: bool) -> bool:
    if case is None or case.notice or case.erased or not tryouts.came_in(case):
        return False
    same = case.label is not None and case.label.escalate == escalate
    return not same and (escalate or case.effect("card") is not None)
