"""The labels that a store holds, for whoever learns from them: the verbs of `labels`, training."""

from collections.abc import Iterable, Iterator
from typing import Final

from tqdm import tqdm

from bot.cases import Case
from bot.frozen import frozen
from bot.labels import Lesson, conflicts, lesson_of
from bot.local.files import chunks
from bot.ports import CaseStore
from bot.twitter.optouts import names

AT_ONCE: Final = 100
"""Cases whose authors are looked up in one read."""


def all_lessons(store: CaseStore) -> list[Lesson]:
    """Every label but those on erased posts and of authors who opted out, the last first."""
    labelled = (case for case in watched(store) if case.label)
    found = [lesson for case in heard(labelled, store) if (lesson := lesson_of(case))]
    return sorted(found, key=lambda lesson: (lesson.at, lesson.id), reverse=True)


def watched(store: CaseStore) -> Iterator[Case]:
    """All cases, newest first, counted where a person sits and waits."""
    yield from tqdm(store.newest(), unit=" cases", disable=None, leave=False)


def heard(cases: Iterable[Case], store: CaseStore) -> Iterator[Case]:
    """The cases, but for those of authors who want nothing of the bot, by their word or ours."""
    for chunk in chunks(cases, AT_ONCE):
        noted = store.notes([name for case in chunk for name in names(case.tweet.author)])
        for case in chunk:
            if not any(noted.get(name) for name in names(case.tweet.author)):
                yield case


@frozen
class Lessons:
    """What a model is to learn from, oldest first, and how many labels are left out, and why.

    `outdated` have no text, or one that its author has edited since; `contradicting` ones are
    among the `kept` where that was asked for.
    """

    kept: tuple[Lesson, ...]
    contradicting: int
    outdated: int


def to_learn(lessons: Iterable[Lesson], *, with_conflicts: bool = False) -> Lessons:
    """Picks what teaches something."""
    given = sorted(lessons, key=lambda lesson: (lesson.at, lesson.id))
    current = [lesson for lesson in given if lesson.text.strip() and not lesson.edited]
    contradict = conflicts(current).ids
    kept = (lesson for lesson in current if with_conflicts or lesson.id not in contradict)
    return Lessons(tuple(kept), len(contradict), len(given) - len(current))
