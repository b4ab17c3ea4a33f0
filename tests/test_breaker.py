"""Who does not answer is left alone: for how long, and what brings calls back."""

import pytest

from bot.breaker import SparedClassifier
from bot.errors import Failure, Permanent, Retryable, Unknown
from tests.fakes import Clock, WordClassifier

DOWN = Retryable("The endpoint is not answering now.")
LOST = Unknown("The answer was lost.")
GONE = Permanent("There is no such endpoint.", mendable=True)
STRANGE = Permanent("The model refuses this text.")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model() -> WordClassifier:
    return WordClassifier(threshold=0.4)


@pytest.fixture
def spared(model: WordClassifier, clock: Clock) -> SparedClassifier:
    return SparedClassifier(model, clock)


def asks(spared: SparedClassifier, times: int = 1) -> list[Failure]:
    """The failures of so many questions."""
    failures: list[Failure] = []
    for _ in range(times):
        try:
            spared.probabilities(["angry"])
        except Failure as failure:
            failures.append(failure)
    return failures


def test_one_that_answers_is_asked_each_time(
    spared: SparedClassifier, model: WordClassifier
) -> None:
    assert asks(spared, 3) == []
    assert len(model.calls) == 3
    assert (spared.model, spared.normalizer, spared.threshold) == ("words", "emoji-1", 0.4)


@pytest.mark.parametrize("failure", [DOWN, LOST, GONE], ids=["down", "lost", "gone"])
def test_one_that_failed_is_not_asked_for_five_seconds(
    spared: SparedClassifier, model: WordClassifier, clock: Clock, failure: Failure
) -> None:
    model.failures.append(failure)
    [first, *others] = asks(spared, 100)
    assert first is failure
    assert {type(one) for one in others} == {Retryable}
    assert {str(one) for one in others} == {
        f"words is not asked for 5 s, because it failed: {failure}"
    }
    assert len(model.calls) == 1
    clock.wait(4.9)
    [refused] = asks(spared)
    assert isinstance(refused, Retryable)
    assert refused.after == pytest.approx(0.1)
    clock.wait(0.1)
    assert asks(spared, 2) == []
    assert len(model.calls) == 3


def test_one_text_that_it_refuses_keeps_no_other_from_it(
    spared: SparedClassifier, model: WordClassifier
) -> None:
    model.failures.append(STRANGE)
    assert asks(spared, 2) == [STRANGE]
    assert len(model.calls) == 2


def test_it_is_left_alone_twice_as_long_each_time_but_never_more_than_a_minute(
    spared: SparedClassifier, model: WordClassifier, clock: Clock
) -> None:
    model.failures += [DOWN] * 6
    for wait in (5, 10, 20, 40, 60, 60):
        asks(spared)
        clock.wait(wait - 1)
        calls = len(model.calls)
        asks(spared)
        assert len(model.calls) == calls
        clock.wait(1)
    assert asks(spared) == []
    assert len(model.calls) == 7


def test_it_is_asked_each_minute_however_long_it_is_down(
    spared: SparedClassifier, model: WordClassifier, clock: Clock
) -> None:
    model.failures += [DOWN] * 2_000
    for _ in range(2_000):
        asks(spared)
        clock.wait(60)
    assert asks(spared) == []


def test_an_answer_begins_anew(
    spared: SparedClassifier, model: WordClassifier, clock: Clock
) -> None:
    model.failures += [DOWN, DOWN, None, DOWN]
    for wait in (5, 10, 0):
        asks(spared)
        clock.wait(wait)
    asks(spared)
    clock.wait(5)
    assert asks(spared) == []


def test_what_the_model_says_of_one_text_shows_that_it_is_back(
    spared: SparedClassifier, model: WordClassifier, clock: Clock
) -> None:
    model.failures += [DOWN, STRANGE]
    asks(spared)
    clock.wait(5)
    assert asks(spared, 2) == [STRANGE]


@pytest.mark.parametrize(("asked", "waited"), [(2, 5), (30, 30), (86_400, 60)])
def test_it_is_left_alone_as_long_as_it_asks_within_limits(
    spared: SparedClassifier, model: WordClassifier, clock: Clock, asked: float, waited: float
) -> None:
    model.failures.append(Retryable("Too many calls.", asked))
    asks(spared)
    clock.wait(waited - 0.5)
    assert len(asks(spared)) == 1
    clock.wait(0.5)
    assert asks(spared) == []


def test_only_one_asks_whether_it_is_back(
    spared: SparedClassifier, model: WordClassifier, clock: Clock
) -> None:
    others: list[Failure] = []
    model.failures += [DOWN, lambda: others.extend(asks(spared, 3))]
    asks(spared)
    clock.wait(5)
    assert asks(spared) == []
    assert [type(one) for one in others] == [Retryable] * 3
    assert len(model.calls) == 2


def test_one_whose_caller_died_is_asked_again(
    spared: SparedClassifier, model: WordClassifier, clock: Clock
) -> None:
    model.failures += [DOWN, KeyboardInterrupt()]
    asks(spared)
    clock.wait(5)
    with pytest.raises(KeyboardInterrupt):
        asks(spared)
    clock.wait(10)
    assert asks(spared) == []
