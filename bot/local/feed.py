"""The sample feed: the project's own tweets, played a few a second."""

import json
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import resources
from typing import Final

from bot.ports import Clock, Queue, Trace
from bot.triage import Arrival, message
from bot.tweets import SNOWFLAKE_EPOCH_MS, Tweet
from bot.wire import api_post

PACE: Final = 0.3
"""Seconds between two tweets."""
_LOW_BITS: Final = 22


def snowflake(at: datetime, seed: str = "") -> str:
    """An id as X would give it to a post of that moment; seeds tell those of one moment apart."""
    milliseconds = int(at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
    low = zlib.crc32(seed.encode()) & ((1 << _LOW_BITS) - 1) if seed else 0
    return str((milliseconds << _LOW_BITS) | low)


def sample_feed(now: datetime) -> Iterator[Tweet]:
    """The tweets, with ids and times of their own for each time that they play."""
    lines = resources.files("bot.local").joinpath("feed.jsonl").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        at = now + timedelta(seconds=number * PACE)
        tweet_id = snowflake(at)
        tweet = api_post(json.loads(line), {}, "typed")
        yield replace(tweet, id=tweet_id, root_id=tweet_id, conversation_id=tweet_id, created_at=at)


class Feed:
    """Plays the sample feed into the tweets queue until it ends or is switched off."""

    def __init__(self, tweets: Queue, clock: Clock, trace: Trace) -> None:
        self._tweets = tweets
        self._clock = clock
        self._trace = trace
        self._switch = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def playing(self) -> bool:
        """Whether it plays now."""
        return self._thread is not None and self._thread.is_alive()

    def play(self) -> None:
        """Begins from the start, unless it plays already."""
        with self._switch:
            if self.playing:
                return
            self._stopped.clear()
            feed = list(sample_feed(self._clock()))
            self._thread = threading.Thread(target=self._send, args=(feed,), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends it; what was sent takes its way."""
        with self._switch:
            self._stopped.set()
            if self._thread:
                self._thread.join()

    def _send(self, feed: list[Tweet]) -> None:
        for tweet in feed:
            self._tweets.send([message(Arrival(tweet, self._clock(), self._trace()))])
            if self._stopped.wait(PACE):
                return
