"""Cases on which nobody has said a word yet, and which of them would teach the model most."""

import hashlib
import heapq
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, Literal, get_args

from bot.cases import Case
from bot.frozen import frozen
from bot.normalize import EMOJI, tokens
from bot.policy import Route, Rules, decide
from bot.tryouts import came_in
from bot.verdicts import Verdict

Why = Literal["unsure", "new words", "check"]
"""The model was near its threshold; it does not know much of the text; it was sure that nobody is
needed, and a sample of these shows whom it misses."""

WAYS: Final[tuple[Why, ...]] = get_args(Why)
TURNS: Final[tuple[Why, ...]] = ("unsure", "new words", "unsure", "check", "unsure")
"""For what each place of the list is, again and again."""
POOL: Final = 1_000
"""Cases of each kind from which those to ask are chosen."""
NEW: Final = 0.3
"""Share of words unknown to the model from which a text counts as new to it."""
MOST_ALIKE: Final = 0.6
"""Share of words in common from which two texts would teach the same."""
_ENOUGH_WORDS: Final = 10
_NOISE: Final = re.compile(r"https?://\S+|@\w+|\d+")

Unknown = Callable[[Verdict, Sequence[str]], float]
"""Of these words of a verdict, the share that its model does not know, 0 to 1."""


@frozen
class Question:
    """A case whose label is wanted: why, in a word and in a sentence. `gist` tells alike texts."""

    id: str
    text: str
    why: Why
    reason: str
    probability: float
    threshold: float
    route: Route
    url: str | None
    gist: frozenset[str]
    score: float


def to_ask(
    cases: Iterable[Case], count: int, rules: Rules, margin: float, unknown: Unknown
) -> list[Question]:
    """At most `count` cases to label, the most instructive first; fewer where others are alike.

    `cases` are all there are, with labels and without, and are read once. What a rule gives to a
    person whatever the model says is not asked for. `margin` is that of unsure verdicts. The same
    cases give the same list.
    """
    pools: dict[Why, _Pool] = {why: _Pool() for why in WAYS}
    taught: set[frozenset[str]] = set()
    for case in cases:
        if case.label and not case.erased:
            taught.add(gist(case.tweet.text))
        question = _question(case, rules, margin, unknown)
        if question:
            pools[question.why].offer(question)
    open_ = {
        why: [one for one in pool.best() if one.gist not in taught] for why, pool in pools.items()
    }
    return _chosen(open_, count)


def gist(text: str) -> frozenset[str]:
    """The words of a text that tell it from others: no mentions, links or numbers."""
    return frozenset(tokens(_NOISE.sub(" ", text), EMOJI).split())


class _Pool:
    """The best of what it was offered, no two with the same gist, in memory that has an end."""

    def __init__(self) -> None:
        self._best: list[tuple[float, str, Question]] = []
        self._gists: set[frozenset[str]] = set()

    def offer(self, question: Question) -> None:
        if question.gist in self._gists:
            return
        self._gists.add(question.gist)
        heapq.heappush(self._best, (question.score, question.id, question))
        if len(self._best) > POOL:
            _, _, least = heapq.heappop(self._best)
            self._gists.discard(least.gist)

    def best(self) -> list[Question]:
        return [question for _, _, question in sorted(self._best, reverse=True)]


def _question(case: Case, rules: Rules, margin: float, unknown: Unknown) -> Question | None:
    verdict = case.verdict
    if verdict is None or case.label or case.erased or case.route == "notice":
        return None
    words = gist(case.tweet.text)
    if not words or not verdict.tokens or not came_in(case) or _by_rule(case, verdict, rules):
        return None
    own = [word for word in dict.fromkeys(verdict.tokens.split()) if word in words]
    new = unknown(verdict, own)
    found = _new(new, len(own)) if new >= NEW else _reason(case, verdict, margin)
    if found is None:
        return None
    why, reason, score = found
    line, url = verdict.threshold, case.tweet.url
    text, probability = case.tweet.text, verdict.probability
    return Question(case.id, text, why, reason, probability, line, case.route, url, words, score)


def _by_rule(case: Case, verdict: Verdict, rules: Rules) -> bool:
    """Whether a rule gives it to a person, however sure the model is that it needs none."""
    sure = replace(verdict, probability=0.0, threshold=1.0, known=True)
    return decide(case.tweet, sure, rules, unsure_margin=0.0).route == "escalate"


def _new(unknown: float, words: int) -> tuple[Why, str, float]:
    none = "none" if unknown == 1 else f"only {1 - unknown:.0%}"
    long = min(words / _ENOUGH_WORDS, 1.0)
    return "new words", f"The model knows {none} of its words.", unknown * long


def _reason(case: Case, verdict: Verdict, margin: float) -> tuple[Why, str, float] | None:
    line, probability = verdict.threshold, verdict.probability
    if verdict.known and verdict.unsure(margin):
        near = 1 - abs(probability - line) / margin if margin else 1.0
        return "unsure", f"The model was unsure: {probability:.2f} against {line:.2f}.", near
    if verdict.escalate or case.route == "escalate":
        return None
    sure = f"The model was {verdict.confidence:.0%} sure that it needs nobody: is that so?"
    return "check", sure, _lot(case.id)


def _lot(case_id: str) -> float:
    """As if drawn, 0 to 1, but the same each time: what is checked must not be the easiest."""
    digest = hashlib.sha256(case_id.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _chosen(pools: dict[Why, list[Question]], count: int) -> list[Question]:
    chosen: list[Question] = []
    alike: dict[str, float] = {one.id: 0.0 for pool in pools.values() for one in pool}
    while len(chosen) < count:
        turn = TURNS[len(chosen) % len(TURNS)]
        question = next(filter(None, (_best(pools[why], alike) for why in (turn, *WAYS))), None)
        if question is None:
            break
        chosen.append(question)
        pools[question.why].remove(question)
        for other in (one for pool in pools.values() for one in pool):
            alike[other.id] = max(alike[other.id], _overlap(other.gist, question.gist))
    return chosen


def _best(pool: Sequence[Question], alike: dict[str, float]) -> Question | None:
    apart = [one for one in pool if alike[one.id] < MOST_ALIKE]
    return max(apart, key=lambda one: (one.score * (1 - alike[one.id]), one.id), default=None)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
