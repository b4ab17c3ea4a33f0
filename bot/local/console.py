"""The console, under `/console/`: what stands in for Slack and X where neither is connected."""

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bot import records
from bot.agents import Deed
from bot.cases import Case
from bot.errors import Refused
from bot.explanation import marked
from bot.local.costs import costs
from bot.local.feed import Feed, snowflake
from bot.local.files import Bad, chunks, tweets_in
from bot.local.http import LARGEST_BODY
from bot.local.story import looked_at, story
from bot.storage.overview import Bar, Side, SqliteOverview, Tally
from bot.triage import Arrival, message, preview
from bot.tweets import Author, Tweet, checked_text, clean
from bot.twitter.ledger import price
from bot.web.access import turned_away
from bot.web.messages import Answer, Request, found, refused, serve
from bot.web.pages import page
from bot.wire import Deleted
from bot.wiring import Parts

SHOWN: Final = 60
"""Cases of a side that are listed at once."""
MOST_CHANGED: Final = 200
MOST_FOUND: Final = 100
LONGEST_SHOWN: Final = 1_000
"""Characters of a post in a list; its story has it whole."""
LONGEST_NAME: Final = 40
LONGEST_SUFFIX: Final = 10
NAMED_REFUSALS: Final = 20
AT_ONCE: Final = 500
PERIODS: Final = {
    "hour": (timedelta(hours=1), 60),
    "day": (timedelta(days=1), 48),
    "week": (timedelta(weeks=1), 56),
}
"""How long the numbers on top look back, and in how many bars."""


class Console:
    """Answers the console's routes over the parts of the bare environment."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._feed = Feed(parts.tweets, parts.clock, parts.trace)
        self._tallied: tuple[tuple[object, ...], Tally] | None = None

    def __call__(self, route: str, event: dict[str, Any]) -> dict[str, Any]:
        """See `bot.local.http.Console`."""
        return serve(event, lambda request: self._answer(route, request))

    def stop(self) -> None:
        """Ends a feed that plays."""
        self._feed.stop()

    def _answer(self, route: str, request: Request) -> Answer:
        away = turned_away(request, self._parts.settings.api_password)
        if away:
            return away
        if route.startswith("POST") and not _own_page(request):
            return refused(403, "Changes are taken only from the console's own page.")
        if route not in _PAGES and not _own_question(request):
            return refused(403, "The console answers its own page, not those of others.")
        return _ANSWERS[route](self, request)

    @cached_property
    def _overview(self) -> SqliteOverview:
        return self._parts.overview

    def _page(self, _request: Request) -> Answer:
        inside = {"style": "console.css", "script": "console.js"}
        return page("bot.local", "console.html", {"largest": str(LARGEST_BODY)}, inside)

    def _cases(self, request: Request) -> Answer:
        """What is new since the tick the page knows, and the numbers on top."""
        overview, since = self._overview, _number(request.query.get("since", "0"))
        tick = overview.tick()
        changed = overview.changed(since, MOST_CHANGED + 1) if since else []
        # A tick from before an older copy was put back lies ahead of all that is written since.
        whole = not 0 < since <= tick or len(changed) > MOST_CHANGED
        if whole:
            changed = [*overview.newest("channel", SHOWN), *overview.newest("bot", SHOWN)]
        return found(
            {
                "tick": tick,
                "whole": whole,
                "cases": [row(case) for case in changed],
                "numbers": self._numbers(request.query.get("period", "day"), tick),
                "playing": self._feed.playing,
                "replies": self._replies(),
                "costs": self._costs(),
            }
        )

    def _replies(self) -> dict[str, Any]:
        """Whether automatic replies go out."""
        paused = self._parts.pause.paused()
        return {
            "mode": self._parts.settings.auto_reply,
            "paused": paused and {"who": paused.who, "at": paused.at.isoformat()},
        }

    def _costs(self) -> dict[str, Any] | None:
        """What X took, in millionths of a dollar; None where it is not connected."""
        taken = costs(self._parts)
        month = price(taken.month)
        if self._parts.settings.x_keys is None and not month:
            return None
        return {
            "today": price(taken.today),
            "month": month,
            "budget": taken.budget,
            "answers_wait": taken.answers_wait,
            "reading_ended": taken.reading_ended,
        }

    def _numbers(self, period: str, tick: int) -> dict[str, Any]:
        if period not in PERIODS:
            raise Refused(f"«{period:.20}» is no period: use {', '.join(PERIODS)}.")
        length, bars = PERIODS[period]
        now = self._parts.clock()
        known = (period, tick, now.replace(second=0, microsecond=0))
        if self._tallied is None or self._tallied[0] != known:
            self._tallied = known, self._overview.tally(now, length, bars)
        tally = self._tallied[1]
        depths = [queue.depth() for queue in self._parts.queues.values()]
        return {
            "escalated": tally.total("escalate"),
            "answered": tally.total("reply"),
            "skipped": tally.total("skip"),
            "waiting": sum(waiting for waiting, _ in depths),
            "dead": sum(dead for _, dead in depths),
            "median": tally.median,
            "bars": [[bar.start.isoformat(), *_heights(bar)] for bar in tally.bars],
        }

    def _older(self, request: Request) -> Answer:
        side: Side = "channel" if request.query.get("side") == "channel" else "bot"
        before = _moment(request.query.get("before", "")), request.query.get("id", "")
        older = self._overview.newest(side, SHOWN, before)
        return found({"cases": [row(case) for case in older]})

    def _search(self, request: Request) -> Answer:
        matches = self._overview.search(request.query.get("words", ""), MOST_FOUND)
        return found({"cases": [row(case) for case in matches]})

    def _case(self, request: Request) -> Answer:
        wanted = request.query.get("id", "")
        case = self._parts.store.get([wanted]).get(wanted)
        if case is None:
            return refused(404, "This case is no longer here: its time was over.")
        case = looked_at(case, self._parts.classifier)
        before = case.effect("reply")
        written = before.text if before and before.by else None
        return found(
            {
                "case": row(case, longest=None),
                "story": [list(told) for told in story(case)],
                "suggestion": written or self._parts.reply_texts.draft(case.tweet),
            }
        )

    def _try(self, request: Request) -> Answer:
        asked = _json(request)
        tweet = self._typed(asked.get("text"), asked.get("handle"))
        return found({"case": row(preview(tweet, self._parts.desk, self._parts.clock()))})

    def _post(self, request: Request) -> Answer:
        asked = _json(request)
        tweet = self._typed(asked.get("text"), asked.get("handle"))
        if not tweet.text.strip():
            raise Refused("The tweet is empty: type something first.")
        arrival = Arrival(tweet, self._parts.clock(), self._parts.trace())
        self._parts.tweets.send([message(arrival)])
        return found({"id": tweet.id}, 202)

    def _typed(self, text: object, handle: object) -> Tweet:
        now = self._parts.clock()
        tweet_id = snowflake(now, self._parts.identities())
        name = _name(handle).lstrip("@") or None
        tweet = Tweet(tweet_id, checked_text(text), tweet_id, Author(handle=name), now, tweet_id)
        return replace(tweet, source="typed")

    def _act(self, request: Request) -> Answer:
        asked = _json(request)
        if asked.get("do") == "relabel" and not isinstance(asked.get("escalate"), bool):
            raise Refused("A relabel says whether a person was needed: escalate, true or false.")
        deed = Deed(
            do=str(asked.get("do")),
            case_id=clean(str(asked.get("id"))),
            who=_name(asked.get("who")) or "console",
            text=checked_text(asked.get("text", "")),
            escalate=asked.get("escalate") is True,
        )
        return found({"case": row(self._parts.agents.act(deed))})

    def _pause(self, request: Request) -> Answer:
        asked = _json(request)
        if not isinstance(asked.get("pause"), bool):
            raise Refused("Say whether automatic replies shall pause: pause, true or false.")
        if asked["pause"]:
            self._parts.pause.pause(_name(asked.get("who")) or "console", self._parts.clock())
        else:
            self._parts.pause.resume()
        return found({"replies": self._replies()})

    def _switch(self, request: Request) -> Answer:
        if _json(request).get("play") is True:
            self._feed.play()
        else:
            self._feed.stop()
        return found({"playing": self._feed.playing})

    def _file(self, request: Request) -> Answer:
        """A file that was dropped; its tweets wait in the queue when this is answered."""
        name = _file_name(request.query.get("name", ""))
        queued, refusals = 0, 0
        named: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(request.body)
            try:
                for some in chunks(tweets_in(path, answer=False), AT_ONCE):
                    bad = [f"{one.where}: {one.problem}" for one in some if isinstance(one, Bad)]
                    refusals += len(bad)
                    named = [*named, *bad][:NAMED_REFUSALS]
                    queued += self._queue(one for one in some if not isinstance(one, Bad))
            except Refused as refusal:
                raise Refused(str(refusal).replace(str(path), name)) from None
        return found({"queued": queued, "refused": refusals, "problems": named}, 202)

    def _queue(self, good: Iterable[Tweet | Deleted]) -> int:
        now, trace = self._parts.clock(), self._parts.trace()
        outgoing = [message(Arrival(one, now, trace)) for one in good]
        self._parts.tweets.send(outgoing)
        return len(outgoing)


def _moved(_console: Console, _request: Request) -> Answer:
    return Answer(308, "", {"location": "/console/"})


_ANSWERS: Final[dict[str, Callable[[Console, Request], Answer]]] = {
    "GET /console": _moved,
    "GET /console/": Console._page,  # noqa: SLF001  the table stands beside its class
    "GET /console/cases": Console._cases,  # noqa: SLF001
    "GET /console/older": Console._older,  # noqa: SLF001
    "GET /console/search": Console._search,  # noqa: SLF001
    "GET /console/case": Console._case,  # noqa: SLF001
    "POST /console/try": Console._try,  # noqa: SLF001
    "POST /console/tweets": Console._post,  # noqa: SLF001
    "POST /console/acts": Console._act,  # noqa: SLF001
    "POST /console/pause": Console._pause,  # noqa: SLF001
    "POST /console/feed": Console._switch,  # noqa: SLF001
    "POST /console/files": Console._file,  # noqa: SLF001
}
ROUTES: Final = tuple(_ANSWERS)
_PAGES: Final = ("GET /console", "GET /console/")
"""What a link on any other page may lead to."""


def row(case: Case, *, longest: int | None = LONGEST_SHOWN) -> dict[str, Any]:
    """What the page draws of a case; `longest` cuts its text."""
    verdict, reply = case.verdict, case.effect("reply")
    text = case.tweet.text[:longest]
    return {
        **records.summary(case),
        "text": text,
        "cut": len(case.tweet.text) > len(text),
        "parts": [
            [part.text, part.weight] for part in marked(text, verdict.words if verdict else ())
        ],
        "name": case.tweet.author.name,
        "url": case.tweet.url if case.tweet.source != "typed" else None,
        "received_at": case.received_at.isoformat(),
        "unsure": case.unsure,
        "probability": verdict.probability if verdict and verdict.known else None,
        "threshold": verdict.threshold if verdict else None,
        "erased": case.erased,
        "thread": case.thread,
        "reply": reply and {**asdict(reply), "due_at": None, "token": None},
        "problems": [e.problem for e in case.effects if e.problem and e.kind != "reply"],
    }


def _heights(bar: Bar) -> Sequence[int]:
    return bar.escalate, bar.reply, bar.skip


def _json(request: Request) -> dict[str, Any]:
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refused("The body must be a JSON object.")
    return asked


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  what SQLite holds as a number
        raise Refused("since must be the tick of an earlier answer.")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("before must be the time at which a case was received.") from None


def _name(value: object) -> str:
    """What a person is called, in one line that cannot turn the text around it."""
    printable = "".join(c for c in clean(str(value or "")) if c.isprintable())
    return printable.strip()[:LONGEST_NAME]


def _file_name(name: str) -> str:
    """A name to write under; what the file is called at its sender's may be no name here."""
    ours = re.sub(r"[^\w ().-]", "_", name)
    path = Path(ours)
    stem = path.stem.strip(". ")[:LONGEST_NAME] or "file"
    return stem + path.suffix[:LONGEST_SUFFIX].rstrip(". ")


def _own_question(request: Request) -> bool:
    # Browsers say so themselves (W3C, "Fetch Metadata Request Headers"); programs say nothing.
    return request.headers.get("sec-fetch-site", "none") in {"same-origin", "none"}


def _own_page(request: Request) -> bool:
    host = request.headers.get("host")
    own = {f"http://{host}", f"https://{host}"}  # a tunnel in front may speak the second
    return bool(host) and request.headers.get("origin") in own
