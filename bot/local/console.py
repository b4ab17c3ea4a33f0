"""The console, under `/console/`: what stands in for Slack and X where neither is connected."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import resources
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from bot import cases
from bot.cases import Case
from bot.ports import Outgoing
from bot.triage import Arrival, message
from bot.tweets import SNOWFLAKE_EPOCH_MS, Tweet
from bot.web.access import turned_away
from bot.web.messages import Answer, Request, found, refused, serve
from bot.web.pages import page
from bot.wire import api_post
from bot.wiring import Parts

ROUTES: Final = ("GET /console/", "GET /console", "GET /console/cases", "POST /console/feed")
SHOWN: Final = 200
PACE: Final = 0.25
"""Seconds between two tweets of the sample feed."""


class Console:
    """Answers the console's routes over the parts of the bare environment."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._playing = threading.Lock()
        self._stopped = threading.Event()

    def __call__(self, route: str, event: dict[str, Any]) -> dict[str, Any]:
        """See `bot.local.http.Console`."""
        return serve(event, lambda request: self._answer(route, request))

    def stop(self) -> None:
        """Ends a feed that plays."""
        self._stopped.set()

    def _answer(self, route: str, request: Request) -> Answer:
        away = turned_away(request, self._parts.settings.api_password)
        if away:
            return away
        answers: dict[str, Callable[[Request], Answer]] = {
            "GET /console": lambda _: Answer(308, "", {"location": "/console/"}),
            "GET /console/": lambda _: page("bot.local", "console.html", {}),
            "GET /console/cases": lambda _: found(self._cases()),
            "POST /console/feed": self._play,
        }
        return answers[route](request)

    def _cases(self) -> dict[str, Any]:
        shown = list(islice(self._parts.store.newest(), SHOWN))
        waiting, dead = self._parts.tweets.depth()
        return {"cases": [_row(case) for case in shown], "waiting": waiting, "dead": dead}

    def _play(self, request: Request) -> Answer:
        if not _own_page(request):
            return refused(403, "Changes are taken only from the console's own page.")
        if not self._playing.acquire(blocking=False):
            return refused(409, "The sample feed is playing already.")
        feed = list(sample_feed(self._parts.clock()))
        threading.Thread(target=self._feed, args=(feed,), daemon=True).start()
        return found({"tweets": len(feed)}, 202)

    def _feed(self, feed: list[Tweet]) -> None:
        try:
            for tweet in feed:
                self._parts.tweets.send([queued(tweet, self._parts.clock())])
                if self._stopped.wait(PACE):
                    return
        finally:
            self._playing.release()


def queued(tweet: Tweet, now: datetime) -> Outgoing:
    """The message by which a tweet of the console enters the bot."""
    return message(Arrival(tweet, now))


def sample_feed(now: datetime) -> Iterator[Tweet]:
    """The project's own sample tweets, with ids and times of their own for each time it plays."""
    lines = resources.files("bot.local").joinpath("feed.jsonl").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        at = now + timedelta(seconds=number * PACE)
        tweet_id = str((int(at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22)
        tweet = api_post(json.loads(line), {}, "typed")
        yield replace(tweet, id=tweet_id, root_id=tweet_id, conversation_id=tweet_id, created_at=at)


def _row(case: Case) -> dict[str, Any]:
    reply = case.effect("reply")
    return {
        **cases.summary(case),
        "unsure": case.unsure,
        "probability": case.verdict.probability if case.verdict else None,
        "threshold": case.verdict.threshold if case.verdict else None,
        "name": case.tweet.author.name,
        "received_at": case.received_at.isoformat(),
        "reply": reply.text if reply else None,
        "problems": [effect.problem for effect in case.effects if effect.problem],
    }


def _own_page(request: Request) -> bool:
    origin = urlsplit(request.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == request.headers.get("host")
