"""Once a week the model is looked at: does it still fit what comes in (`bot.drift`)."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from bot import telemetry
from bot.cases import Case, Channels, with_card
from bot.digests import MOST_READ
from bot.drift import BEFORE, Examined, Learnt, examined
from bot.frozen import frozen
from bot.hours import Hours
from bot.notices import Conclusion
from bot.ports import CaseStore
from bot.tweets import Tweet
from bot.weekly import WEEK, figures, from_json, to_json

log = logging.getLogger(__name__)

DAY: Final = timedelta(days=1)
LEVELS: Final[dict[Conclusion, int]] = {"fine": 0, "watch": 1, "retrain": 2}
"""What the metric `Drift` says."""
_NOTE: Final = "drift"


@frozen
class Checkups:
    """Looks at the model each Monday at that `hour` of `hours`, or when the bot is next awake.

    Where `hour` is None nobody wants messages: it is done at midnight, and only the log tells.
    `learnt` is asked for once a week, for a model's file takes its time to read.
    """

    store: CaseStore
    channels: Channels
    hours: Hours
    hour: int | None
    learnt: Callable[[], Learnt | None]

    def due(self, now: datetime) -> list[Case]:
        """The message, with a card to be sent, where it is time and there is something to do.

        Raises what the store and `learnt` raise.
        """
        since, until = self.week(now)
        name = f"drift-{until.astimezone(self.hours.zone):%Y%m%d}"
        noted = self.store.note(_NOTE) or {}
        if noted.get("made") == name:
            return []
        found = self._found(since, until, noted)
        new = self._told(name, found, now)
        _log(found)
        weeks = [to_json(found.week), *noted.get("weeks", [])][:BEFORE]
        self.store.set_note(_NOTE, {"made": name, "weeks": weeks})
        return new

    def week(self, now: datetime) -> tuple[datetime, datetime]:
        """The last whole week, from Monday to Monday, at that hour."""
        # Noons are counted back, as no clock is put forward or back by half a day.
        noon = self.hours.day_hour(now, 12)
        monday = noon - noon.astimezone(self.hours.zone).weekday() * DAY
        if self._at(monday) > now:
            monday -= WEEK
        return self._at(monday - WEEK), self._at(monday)

    def _at(self, day: datetime) -> datetime:
        return self.hours.day_hour(day, self.hour or 0)

    def _found(self, since: datetime, until: datetime, noted: Any) -> Examined:
        learnt = self.learnt()
        words = {learnt.model: learnt.words} if learnt and learnt.words else {}
        week = figures(self.store.newest(until, since), since, until, words, MOST_READ)
        return examined(week, learnt, [from_json(record) for record in noted.get("weeks", [])])

    def _told(self, name: str, found: Examined, now: datetime) -> list[Case]:
        wanted = self.hour is not None and self.channels.cards_queued
        if found.conclusion == "fine" or not wanted:
            return []
        case = Case(Tweet(name, "", name), "notice", (), now, now, notice=found.notice)
        case = with_card(case, self.channels, now)
        return [case] if self.store.add([case]) else []


def _log(found: Examined) -> None:
    level = logging.INFO if found.conclusion == "fine" else logging.WARNING
    week = found.week
    fields = {"model": week.model or None, "posts": week.posts, "shift": found.shift}
    metric = telemetry.gauged("Drift", LEVELS[found.conclusion])
    log.log(level, "The model's week: %s", " ".join(found.said), extra={**fields, **metric})
