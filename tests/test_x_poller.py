"""The poller's function, over X's stand-in."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.process import hosting
from bot.triage import arrival_of, triage
from bot.tweets import Tweet
from bot.twitter.polling import NOT_BEFORE
from bot.wire import Deleted
from bot.wiring import Parts
from handlers import x_poller
from tests.examples import NOON, noon, parts
from tests.simulation import desk
from tests.standins.x import XStandin


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 50_000


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=noon) as standin:
        yield standin


@pytest.fixture
def bot(tmp_path: Path, x: XStandin) -> Iterator[Parts]:
    made = parts(
        tmp_path,
        X_API_URL=x.url,
        X_CONSUMER_KEY=x.keys.consumer_key,
        X_CONSUMER_SECRET=x.keys.consumer_secret,
        X_ACCESS_TOKEN=x.keys.access_token,
        X_ACCESS_TOKEN_SECRET=x.keys.access_token_secret,
    )
    assert made.x
    with made.x._client.session:
        yield made


def run(bot: Parts) -> dict[str, int]:
    with hosting(bot):
        return x_poller.handler({}, Context())


def received(bot: Parts) -> list[Tweet | Deleted]:
    found: list[Tweet | Deleted] = []
    while batch := bot.tweets.receive(10):
        arrivals = [arrival_of(one.body).what for one in batch]
        found += [one for one in arrivals if isinstance(one, Tweet | Deleted)]
        bot.tweets.delete([one.receipt for one in batch])
    return found


def called(x: XStandin, path: str) -> int:
    return sum(request.path.endswith(path) for request in x.requests)


def test_without_keys_nothing_is_polled(tmp_path: Path) -> None:
    assert run(parts(tmp_path)) == {"queued": 0, "gone": 0}


def test_all_pages_are_queued_with_authors_and_long_texts(bot: Parts, x: XStandin) -> None:
    posts = [x.add_mention(f"parcel {number}", author="mara_example") for number in range(120)]
    long = x.add_mention("where is my parcel? " * 40, author="otto_example")
    assert run(bot) == {"queued": 121, "gone": 0}
    tweets = {one.id: one for one in received(bot) if isinstance(one, Tweet)}
    assert tweets.keys() == {post.id for post in [*posts, long]}
    assert tweets[long.id].text == long.text
    assert {one.author.handle for one in tweets.values()} == {"mara_example", "otto_example"}
    assert {(one.source, one.answer) for one in tweets.values()} == {("poll", True)}
    assert run(bot) == {"queued": 0, "gone": 0}


def test_the_account_is_asked_for_once(bot: Parts, x: XStandin) -> None:
    for _ in range(3):
        run(bot)
    assert called(x, "/users/me") == 1


def test_a_rate_limit_is_waited_for(bot: Parts, x: XStandin) -> None:
    x.add_mention("hello")
    x.limits["mentions"] = 0
    for _ in range(3):
        assert run(bot) == {"queued": 0, "gone": 0}
    assert called(x, "/mentions") == 1
    assert bot.store.note(NOT_BEFORE) == (NOON + timedelta(minutes=15)).isoformat()


def test_what_was_deleted_without_a_webhook_is_erased(bot: Parts, x: XStandin) -> None:
    post = x.add_mention("I am angry")
    run(bot)
    arrivals = [arrival_of(one.body) for one in bot.tweets.receive(10)]
    triage(arrivals, desk(), bot.store, bot.workers, NOON)
    x.delete(post.id)
    bot.store.set_note("x-deletion-check", None)  # as on the next day
    assert run(bot) == {"queued": 0, "gone": 1}
    assert [one for one in received(bot) if isinstance(one, Deleted)] == [
        Deleted(post.id, source="poll")
    ]
    assert bot.ledger.month(NOON) == {"2026-11-02": {"mention": 1, "lookup": 1}}
