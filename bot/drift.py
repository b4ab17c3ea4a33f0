"""Whether the model still fits what comes in: a week's figures beside those of its training data.

Only corrections prove a model wrong; scores and words that have changed say where to look.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, Literal

from bot.chance import BINS, CERTAIN, DOUBTED, exceeds, shift, shift_by_chance
from bot.frozen import frozen
from bot.notices import Conclusion, Drift
from bot.weekly import Figures

BEFORE: Final = 4
"""Weeks that stand in where nothing is known of the training data."""
FEWEST: Final = 100
"""Posts of a week from which anything is concluded."""
FEWEST_LOOKED_AT: Final = 20
"""Posts that agents judged from which corrections tell."""
LITTLE: Final = 0.1
MUCH: Final = 0.25
"""Bands of a shift of scores (`bot.chance.shift`)."""
MORE: Final = 0.03
TIMES: Final = 1.5
"""From this share more, and so many times as many, unknown words are a change: a hundred posts of
fifteen words vary by a third of that."""


@frozen
class Baseline:
    """A model's figures on data held out of its training, each None where it does not tell it.

    `scores` are the shares of posts by tenth of the probability, `unknown` that of words it does
    not know, `mistakes` that of wrong verdicts at its threshold.
    """

    scores: tuple[float, ...] | None = None
    unknown: float | None = None
    mistakes: float | None = None


@frozen
class Learnt:
    """What is known of the model that its verdicts call `model`.

    `words` are those it knows, None where its file is out of reach. `others` are the baselines of
    models that were published, by what their verdicts call them.
    """

    model: str
    baseline: Baseline | None = None
    words: frozenset[str] | None = None
    others: Mapping[str, Baseline] = field(default_factory=dict)

    def baseline_for(self, model: str) -> Baseline | None:
        """That of the model with this name; None where nothing is known of it."""
        return self.baseline if model == self.model else self.others.get(model)


@frozen
class Examined:
    """A week, and what it says: `said` are sentences for people.

    `against` is what it was compared with, None where there was nothing; `shift` that of its
    scores, `promised` the share of mistakes that was to be expected.
    """

    week: Figures
    conclusion: Conclusion
    said: tuple[str, ...]
    against: str | None = None
    shift: float | None = None
    promised: float | None = None

    @property
    def notice(self) -> Drift:
        """What the channel is told."""
        week = self.week
        return Drift(week.since, week.until, week.model, week.posts, self.conclusion, self.said)


@frozen
class _Yardstick:
    """What a week is compared with; `posts` and `looked_at` are None where they are many."""

    name: str
    baseline: Baseline
    posts: int | None = None
    looked_at: int | None = None


@frozen
class _Sign:
    """What one of the three says: 0 nothing, 1 watch it, 2 beyond doubt; None is no figure."""

    level: Literal[0, 1, 2] = 0
    said: str | None = None
    figure: float | None = None


def examined(week: Figures, learnt: Learnt | None, before: Sequence[Figures]) -> Examined:
    """What a week's figures say; `before` are those of the weeks before."""
    if week.posts < FEWEST:
        posts = f"{week.posts:,} post{'' if week.posts == 1 else 's'}"
        few = f"The model judged {posts} this week: too few to tell ({FEWEST} at least)."
        return Examined(week, "fine", (few,))
    yardstick = _yardstick(week, learnt, before)
    if yardstick is None:
        return Examined(week, "fine", (_NOTHING,))
    wrong, scores = _corrections(week, yardstick), _scores(week, yardstick)
    words = _words(week, yardstick)
    conclusion = _conclusion(wrong, scores, words)
    said = tuple(sign.said for sign in (wrong, scores, words) if sign.said)
    return Examined(
        week,
        conclusion,
        (*said, ADVICE[conclusion]),
        yardstick.name,
        scores.figure,
        wrong.figure,
    )


def _conclusion(wrong: _Sign, scores: _Sign, words: _Sign) -> Conclusion:
    # Other scores alone may be a bad week of the company's, which is what the model is there for.
    strange = scores.level == _SURE and words.level > 0
    if wrong.figure is not None and not wrong.level:  # agents find it right, strange or not
        return "watch" if strange else "fine"
    if wrong.level == _SURE or strange:
        return "retrain"
    return "watch" if wrong.level or scores.level or words.level else "fine"


_SURE: Final = 2
_NOTHING: Final = (
    "Nothing tells what its training data were like, and too little came before to compare with."
)
ADVICE: Final[Mapping[Conclusion, str]] = {
    "fine": "The model fits what comes in.",
    "watch": (
        "Nothing proves it wrong yet: label some posts (`python -m bot labels next`), and look at "
        "next week's figures."
    ),
    "retrain": (
        "Retrain it on posts of today and with your corrections: "
        "`python -m bot train DATA.csv --with-labels --output model.tar.gz`."
    ),
}


def _yardstick(
    week: Figures, learnt: Learnt | None, before: Sequence[Figures]
) -> _Yardstick | None:
    known = learnt.baseline_for(week.model) if learnt else None
    if known:
        return _Yardstick("its training data", known)
    whole = Figures(week.since, week.since, week.model)
    for other in before:
        if other.model == week.model:
            whole.join(other)
    if whole.posts < FEWEST:
        return None
    shares = tuple(count / whole.posts for count in whole.scores)
    baseline = Baseline(shares, whole.unknown_share, whole.wrong_share)
    return _Yardstick("the weeks before", baseline, whole.posts, whole.looked_at)


def _corrections(week: Figures, yardstick: _Yardstick) -> _Sign:
    """Agents see cards before answers, and what is unsure before what is plain.

    So no more is promised of these very posts than the model's own probabilities of them let
    expect, whatever its tests say of all posts.
    """
    wrong, then = week.wrong_share, yardstick.baseline.mistakes
    if wrong is None:
        return _Sign(said="Agents judged none of these posts.")
    if week.looked_at < FEWEST_LOOKED_AT:
        return _Sign(said=f"Agents judged {week.looked_at} of them: too few to tell.")
    if then is None:
        return _Sign()
    expected = week.expected / week.looked_at
    promised, of = (then, yardstick.looked_at) if then >= expected else (expected, None)
    beyond = [exceeds(week.wrong, week.looked_at, promised, of, s) for s in (DOUBTED, CERTAIN)]
    said = (
        f"Agents corrected {week.wrong:,} of the {week.looked_at:,} posts they judged "
        f"({wrong:.0%}); {promised:.0%} were to be expected."
    )
    return _Sign(2 if beyond[1] else 1 if beyond[0] else 0, said, promised)


def _scores(week: Figures, yardstick: _Yardstick) -> _Sign:
    shares = yardstick.baseline.scores
    if shares is None:
        return _Sign()
    moved, half = shift(week.scores, shares), BINS // 2
    usual = moved < max(LITTLE, shift_by_chance(week.posts, yardstick.posts))
    now, then = sum(week.scores[half:]) / week.posts, math.fsum(shares[half:])
    how = "are spread as usual" if usual else f"have shifted{' much' if moved > MUCH else ''}"
    said = (
        f"Its scores {how} (by {moved:.2f}; {LITTLE} is little, {MUCH} much): {now:.0%} of the "
        f"posts reach 0.5, {then:.0%} in {yardstick.name}."
    )
    return _Sign(0 if usual else 2 if moved > MUCH else 1, said, moved)


def _words(week: Figures, yardstick: _Yardstick) -> _Sign:
    now, then = week.unknown_share, yardstick.baseline.unknown
    if now is None or then is None:
        return _Sign()
    more = now - then >= MORE and now >= TIMES * then
    said = f"It does not know {now:.0%} of the words, {then:.0%} in {yardstick.name}."
    return _Sign(1 if more else 0, said, now)


def baseline_of(record: Any) -> Baseline | None:
    """The baseline that a model's card tells, as far as it can be read; None where it is none."""
    if not isinstance(record, Mapping):
        return None
    found = Baseline(unknown=_share(record.get("unknown")), mistakes=_share(record.get("mistakes")))
    listed = record.get("scores")
    scores = [_share(one) for one in listed] if isinstance(listed, list | tuple) else []
    read = tuple(one for one in scores if one is not None)
    if len(read) == BINS and math.isclose(math.fsum(read), 1, abs_tol=0.01):
        found = replace(found, scores=read)
    return None if found == Baseline() else found


def _share(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value <= 1 else None
