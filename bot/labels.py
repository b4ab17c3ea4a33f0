"""What people said of texts: what there is to learn from, and where it contradicts itself."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from bot.cases import EDITED, Case
from bot.deeds import ASKED, LABELS
from bot.frozen import frozen
from bot.normalize import EMOJI, tokens
from bot.policy import Route
from bot.probes import is_probe
from bot.tryouts import came_in

Did = Route | Literal["tried"]
"""What the bot did with a text by itself; `tried` is one that somebody tried the classifier on."""

_WORDS: Final = {what: escalate for escalate, what in LABELS.items()}
_YES: Final = frozenset({"1", "1.0", "true", "yes", "y", "t", "__label__1"})
_NO: Final = frozenset({"0", "0.0", "false", "no", "n", "f", "__label__0"})


@frozen
class Word:
    """What one person said of a case, and when."""

    escalate: bool
    who: str
    at: datetime


@frozen
class Lesson:
    """A text with the last word on whether it needed a person; `words` are all, oldest first.

    `said` is what `model` had said, with `confidence`: None where it knew no word of the text or
    did not answer. `edited` means that the author has edited the post since, so that the label is
    about a text which is gone.
    """

    id: str
    text: str
    escalate: bool
    who: str
    at: datetime
    model: str | None
    said: bool | None
    confidence: float | None
    did: Did
    words: tuple[Word, ...] = ()
    edited: bool = False
    created_at: datetime | None = None
    language: str | None = None

    @property
    def overruled(self) -> bool | None:
        """Whether it says otherwise than the model, or than the bot where no model had a say."""
        if self.said is None:
            return None if self.did == "tried" else self.escalate != (self.did == "escalate")
        return self.escalate != self.said

    @property
    def missed(self) -> bool:
        """Whether the model did not see that a person was needed."""
        return self.escalate and self.overruled is True

    @property
    def false_alarm(self) -> bool:
        """Whether the model called a person for nothing."""
        return not self.escalate and self.overruled is True

    @property
    def unseen(self) -> bool:
        """Whether somebody who needed a person got the bot, or no answer."""
        return self.escalate and self.did in {"reply", "skip"}

    @property
    def disputed(self) -> bool:
        """Whether people went back and forth, and no majority is for the last word.

        One who corrects another is no dispute, nor is one who changes his own mind.
        """
        last = {word.who: word.escalate for word in self.words}
        turns = sum(one.escalate != next_.escalate for one, next_ in pairwise(self.words))
        against = sum(escalate != self.escalate for escalate in last.values())
        return turns > 1 and 2 * against >= len(last)


def meant(word: str) -> bool | None:
    """What a label in a file means: whether a person is needed; None where that is not clear."""
    said = word.strip().lower()
    return said in _YES if said in _YES | _NO else None


def lesson_of(case: Case) -> Lesson | None:
    """What is to be learnt from a case; None without a label, or where its text is gone."""
    label, verdict = case.label, case.verdict
    if label is None or case.erased or case.notice or is_probe(case.tweet):
        return None
    known = verdict if verdict and verdict.known else None
    return Lesson(
        id=case.id,
        text=case.tweet.text,
        escalate=label.escalate,
        who=label.who,
        at=label.at,
        model=label.model,
        said=known.escalate if known else None,
        confidence=known.confidence if known else None,
        did=_did(case),
        words=_words(case, Word(label.escalate, label.who, label.at)),
        edited=any(entry.what == EDITED and entry.at > label.at for entry in case.history),
        created_at=case.tweet.written_at,
        language=case.tweet.lang,
    )


def _did(case: Case) -> Did:
    if not came_in(case) or case.route == "notice":
        return "tried"
    if case.route != "escalate" or ASKED not in case.reasons:
        return case.route
    told = [entry.what for entry in case.history if entry.who == "bot"]
    skipped = [what.startswith("skip:") for what in told if what.startswith(("reply:", "skip:"))]
    return "skip" if skipped and skipped[-1] else "reply"


def _words(case: Case, last: Word) -> tuple[Word, ...]:
    told = (entry for entry in case.history if entry.what in _WORDS)
    words = tuple(Word(_WORDS[entry.what], entry.who, entry.at) for entry in told)
    return words if words and words[-1] == last else (*words, last)


@frozen
class Conflicts:
    """Labels that contradict others: `texts` that got both, and `cases` in dispute."""

    texts: tuple[tuple[Lesson, ...], ...]
    cases: tuple[Lesson, ...]

    @property
    def ids(self) -> frozenset[str]:
        """The cases concerned."""
        same = (lesson.id for group in self.texts for lesson in group)
        return frozenset((*same, *(lesson.id for lesson in self.cases)))


def conflicts(lessons: Iterable[Lesson]) -> Conflicts:
    """Where labels contradict each other; two texts are one where the model reads the same."""
    groups: dict[str, list[Lesson]] = {}
    disputed: list[Lesson] = []
    for lesson in lessons:
        if lesson.edited:
            continue
        groups.setdefault(tokens(lesson.text, EMOJI) or lesson.text.strip(), []).append(lesson)
        if lesson.disputed:
            disputed.append(lesson)
    both = (group for group in groups.values() if len({lesson.escalate for lesson in group}) > 1)
    return Conflicts(tuple(tuple(group) for group in both), tuple(disputed))


@frozen
class Tally:
    """How many labels, and how many of them overrule the model each way."""

    labels: int
    missed: int
    false_alarms: int


@frozen
class Band:
    """Labels on texts of which the model was `low` to `low` + 0.1 sure; how many agree with it."""

    low: float
    labels: int
    agreed: int


@frozen
class Statistics:
    """The labels in numbers.

    `judged` are those on which model or bot had a say; `answer` and `escalate` tell what that was,
    `unseen` how many who needed a person got none by it. `weeks` begin on the Monday they are
    called by (UTC), the newest first; `by` has whoever labelled most first.
    """

    whole: Tally
    needing: int
    judged: int
    answer: int
    escalate: int
    unseen: int
    edited: int
    by: tuple[tuple[str, Tally], ...]
    weeks: tuple[tuple[date, Tally], ...]
    bands: tuple[Band, ...]
    conflicts: Conflicts


def statistics(lessons: Sequence[Lesson]) -> Statistics:
    """The numbers of these labels."""
    people = Counter(lesson.who for lesson in lessons)
    weeks = sorted({_week(lesson) for lesson in lessons}, reverse=True)
    judged = [lesson for lesson in lessons if lesson.overruled is not None]
    answer = sum(lesson.escalate == bool(lesson.overruled) for lesson in judged)
    return Statistics(
        whole=_tally(lessons),
        needing=sum(lesson.escalate for lesson in lessons),
        judged=len(judged),
        answer=answer,
        escalate=len(judged) - answer,
        unseen=sum(lesson.unseen for lesson in lessons),
        edited=sum(lesson.edited for lesson in lessons),
        by=tuple((who, _tally_of(lessons, lambda one: one.who, who)) for who in _most(people)),
        weeks=tuple((week, _tally_of(lessons, _week, week)) for week in weeks),
        bands=tuple(_bands(lessons)),
        conflicts=conflicts(lessons),
    )


def _most(people: Counter[str]) -> list[str]:
    return sorted(people, key=lambda who: (-people[who], who))


def _week(lesson: Lesson) -> date:
    day = lesson.at.date()
    return day - timedelta(days=day.weekday())


def _tally(lessons: Sequence[Lesson]) -> Tally:
    missed = sum(lesson.missed for lesson in lessons)
    return Tally(len(lessons), missed, sum(lesson.false_alarm for lesson in lessons))


def _tally_of(lessons: Sequence[Lesson], key: Callable[[Lesson], object], value: object) -> Tally:
    return _tally([lesson for lesson in lessons if key(lesson) == value])


def _bands(lessons: Sequence[Lesson]) -> Iterable[Band]:
    sure = [(lesson.confidence, lesson) for lesson in lessons if lesson.confidence is not None]
    bands: dict[int, list[Lesson]] = {}
    for confidence, lesson in sure:
        bands.setdefault(min(int(confidence * 10), 9), []).append(lesson)
    for at, found in sorted(bands.items()):
        yield Band(at / 10, len(found), sum(not lesson.overruled for lesson in found))
