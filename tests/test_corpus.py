"""What the starter model learns from, and the feed that shows the bot at work."""

import csv
import re
from collections import Counter, defaultdict
from math import ceil
from pathlib import Path

import pytest
from emoji import distinct_emoji_list

from bot.learning.labelled import labelled
from bot.learning.training.examples import prepared
from bot.local.files import tweets_in
from bot.normalize import EMOJI, PLAIN, tokens
from bot.tweets import LONGEST_TEXT, Tweet

BOT = Path(__file__).parents[1] / "bot"
CORPUS = BOT / "learning" / "corpus.csv"
FEED = BOT / "local" / "feed.jsonl"
TOO_ALIKE = 0.6

with CORPUS.open(newline="", encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))


def words(text: str) -> frozenset[str]:
    """Its words and its emoji."""
    return frozenset(tokens(text, PLAIN).split()) | frozenset(distinct_emoji_list(text))


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) / len(one | other) >= TOO_ALIKE


@pytest.fixture(scope="module")
def feed() -> list[Tweet]:
    return [one for one in tweets_in(FEED, answer=False) if isinstance(one, Tweet)]


def test_it_holds_at_least_2500_rows_that_can_be_learnt_from() -> None:
    assert len(ROWS) >= 2_500
    ready = prepared(labelled([CORPUS]), EMOJI)
    assert (len(ready.examples), ready.empty, ready.disputed) == (len(ROWS), 0, 0)


def test_its_labels_are_balanced() -> None:
    share = sum(row["escalate"] == "True" for row in ROWS) / len(ROWS)
    assert 0.35 <= share <= 0.65
    assert {row["escalate"] for row in ROWS} == {"True", "False"}


def test_every_trade_has_both_labels_in_number() -> None:
    trades: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in ROWS:
        trades[row["trade"]][row["escalate"]] += 1
    assert len(trades) >= 15
    assert {
        trade for trade, labels in trades.items() if min(labels["True"], labels["False"]) < 10
    } == set()


def test_no_two_rows_are_nearly_the_same() -> None:
    sets = [words(row["text"]) for row in ROWS]
    numbers = Counter(word for own in sets for word in own)
    shelves: defaultdict[str, list[int]] = defaultdict(list)
    pairs = []
    for at, own in enumerate(sets):
        # Two that are too alike share one of their rarest words; all others need no comparing.
        rarest = sorted(own, key=lambda word: (numbers[word], word))
        rarest = rarest[: len(own) - ceil(TOO_ALIKE * len(own)) + 1]
        near = {other for word in rarest for other in shelves[word]}
        pairs += [(ROWS[one]["text"], ROWS[at]["text"]) for one in near if alike(sets[one], own)]
        for word in rarest:
            shelves[word].append(at)
    assert pairs == []


def test_no_row_shows_how_it_was_written() -> None:
    leftover = re.compile(r"[{}<>\[\]]|\b(lorem|todo|placeholder|brand_?name)\b", re.IGNORECASE)
    assert [row["text"] for row in ROWS if leftover.search(row["text"])] == []


def test_no_phrase_comes_back_as_a_template_would() -> None:
    phrases = Counter(
        phrase
        for row in ROWS
        for phrase in {
            tuple(said[at : at + 7])
            for said in [tokens(row["text"], PLAIN).split()]
            for at in range(len(said) - 6)
        }
    )
    assert [phrase for phrase, rows in phrases.items() if rows > 5] == []


def test_its_texts_are_as_long_as_posts_are() -> None:
    lengths = sorted(len(row["text"]) for row in ROWS)
    assert lengths[-1] <= LONGEST_TEXT
    assert lengths[len(lengths) // 2] <= 280


def test_the_feed_has_150_tweets_of_as_many_ids(feed: list[Tweet]) -> None:
    assert len(feed) == 150
    assert len({tweet.id for tweet in feed}) == 150
    assert len(FEED.read_text("utf-8").splitlines()) == 150


def test_no_tweet_of_the_feed_was_learnt(feed: list[Tweet]) -> None:
    learnt = [words(row["text"]) for row in ROWS]
    shown = {tweet.text: words(tweet.text) for tweet in feed}
    assert [text for text, own in shown.items() if any(alike(own, one) for one in learnt)] == []


def test_every_tweet_of_the_feed_has_an_author(feed: list[Tweet]) -> None:
    assert all(tweet.author.id and tweet.author.handle for tweet in feed)
