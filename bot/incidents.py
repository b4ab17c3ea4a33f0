"""Bursts of escalations, and a classifier that is down: one card that collects the others.

What is counted lies in one note beside the cases, as several functions decide at once. An
incident is a case of its own, made before any case that it collects.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.cases import Case, Channels, with_card, with_update
from bot.frozen import frozen
from bot.notices import Bursts, Cause, Incident
from bot.ports import CaseStore
from bot.probes import is_probe
from bot.tweets import Tweet

NOTICE_AFTER: Final = timedelta(minutes=2)
"""How long a classifier must be down before the channel is told; a single error is none."""
OVER_AFTER: Final = timedelta(minutes=3)
"""How long a classifier must have answered before the channel is told that it does again: held
tweets come back within half of that, so one that flaps is one incident."""
MOST_MEMBERS: Final = 1_000
"""The last cases an incident collected that it names. One of these is counted once, however often
its tweet comes; an earlier one may be counted again."""
MOST_WAITING: Final = 1_000
MOST_COUNTED: Final = 500
"""Cards of a window, tweets that wait: a DynamoDB item holds 400 KB."""
_NOTE: Final = "incidents"


@frozen
class _Standing:
    """`cards` are those of the last window, by case: when, and the incident that collects each.

    `burst` and `outage` are the incidents that last. The classifier is down since `down_since`,
    last seen so at `down_at`, has `recovered` since or not, and `waiting` tweets wait for it.
    """

    cards: Mapping[str, tuple[datetime, str | None]]
    burst: str | None = None
    down_since: datetime | None = None
    down_at: datetime | None = None
    recovered: bool = False
    outage: str | None = None
    waiting: tuple[str, ...] = ()


@frozen
class Incidents:
    """Says which cards are collected. Each method may be repeated and raises what the store raises.

    The cases they return have effects that are to be handed to their workers.
    """

    store: CaseStore
    bursts: Bursts
    channels: Channels

    def collect(
        self, new: Sequence[Case], now: datetime, *, up: bool = False
    ) -> tuple[list[Case], list[Case]]:
        """The new cases, those above the rate collected; and the incidents whose cards now differ.

        `up` is whether the classifier answers, by which an outage may be over.
        """
        ids = [case.id for case in new if _counts(case)]
        if not ids or not self.bursts.size:
            return list(new), self._up(self._noted(now), now) if up else []
        standing = self._change(now, partial(_counted, ids=ids, bursts=self.bursts, now=now))
        over = self._up(standing, now) if up else []
        found = {one: standing.cards[one][1] for one in ids if one in standing.cards}
        collected = {one: incident for one, incident in found.items() if incident}
        touched = [
            self._gathered(
                incident, "burst", [one for one in collected if found[one] == incident], now
            )
            for incident in dict.fromkeys(collected.values())
        ]
        return [_in(case, collected.get(case.id)) for case in new], [*over, *touched]

    def down(
        self, held: Sequence[str], late: Sequence[Case], now: datetime
    ) -> tuple[list[Case], list[Case]]:
        """The classifier did not answer: tweets are `held`, and those `late` escalate unjudged.

        Returns the late ones, collected, and the incident.
        """
        if not self.channels.cards_queued:
            return list(late), []
        ids = [case.id for case in late]
        standing = self._change(now, partial(_down, held=held, late=ids, now=now))
        if standing.outage is None or standing.down_since is None:
            return list(late), []
        waiting = len(standing.waiting)
        since = standing.down_since
        incident = self._gathered(standing.outage, "classifier", ids, now, waiting, since)
        return [_in(case, standing.outage) for case in late], [incident]

    def _up(self, standing: _Standing, now: datetime) -> list[Case]:
        if standing.down_since is None:
            return []
        if standing.outage and not _long_enough(standing, now):
            if not standing.recovered:
                self._change(now, lambda current: replace(current, recovered=True))
            return []
        return self._ended_outage(standing, now)

    def _noted(self, now: datetime) -> _Standing:
        return _standing(self.store.note(_NOTE), self.bursts, now)

    def _ended_outage(self, standing: _Standing, now: datetime) -> list[Case]:
        # First its card, then the note: after a crash between them this is asked again.
        over = self._over(standing.outage, now)
        self._change(now, partial(_up, outage=standing.outage))
        return over

    def calm(self, now: datetime) -> list[Case]:
        """Ends what is over; housekeeping asks each minute.

        A burst that has calmed down to half its rate, an outage after which the classifier has
        answered long enough.
        """
        standing = self._noted(now)
        over: list[Case] = []
        if standing.recovered and _long_enough(standing, now):
            over += self._ended_outage(standing, now)
        if standing.burst and len(standing.cards) <= self.bursts.size // 2:
            over += self._over(standing.burst, now)
            self._change(now, partial(_calm, burst=standing.burst))
        return over

    def lasting(self, now: datetime) -> list[str]:
        """The incidents that last."""
        standing = self._noted(now)
        return [one for one in (standing.burst, standing.outage) if one]

    def _change(self, now: datetime, change: Callable[[_Standing], _Standing]) -> _Standing:
        def changed(noted: Any) -> Any:
            return _to_json(change(_standing(noted, self.bursts, now)))

        return _standing(self.store.change_note(_NOTE, changed), self.bursts, now)

    def _gathered(
        self,
        incident_id: str,
        cause: Cause,
        ids: Sequence[str],
        now: datetime,
        waiting: int = 0,
        since: datetime | None = None,
    ) -> Case:
        made = self._opened(incident_id, cause, since)
        self.store.add([made])
        change = partial(_with_members, ids=ids, waiting=waiting, now=now)
        return self.store.change(incident_id, change) or made

    def _opened(self, incident_id: str, cause: Cause, since: datetime | None) -> Case:
        begun = _begun(incident_id)
        notice = Incident(cause, since or begun)
        tweet = Tweet(incident_id, "", incident_id)
        return with_card(
            Case(tweet, "notice", (), begun, begun, notice=notice), self.channels, begun
        )

    def _over(self, incident_id: str | None, now: datetime) -> list[Case]:
        if incident_id is None:
            return []
        case = self.store.change(incident_id, partial(_ended, now=now))
        return [case] if case else []


def _counts(case: Case) -> bool:
    """Whether it is a further card for the channel's eyes."""
    card = case.effect("card")
    if card is None or card.state != "pending" or is_probe(case.tweet):
        return False
    return not case.thread and not case.incident


def _in(case: Case, incident: str | None) -> Case:
    return replace(case, incident=incident, remind_at=None) if incident else case


def _counted(standing: _Standing, ids: Sequence[str], bursts: Bursts, now: datetime) -> _Standing:
    cards, burst = dict(standing.cards), standing.burst
    for one in ids:
        if one in cards:
            continue
        if burst is None and len(cards) >= bursts.size:
            burst = _name("burst", now)
        cards[one] = now, burst
    last = dict(list(cards.items())[-MOST_COUNTED:])
    return replace(standing, cards=last, burst=burst)


def _down(
    standing: _Standing, held: Sequence[str], late: Sequence[str], now: datetime
) -> _Standing:
    since, outage = standing.down_since or now, standing.outage
    if outage is None and (late or now - since >= NOTICE_AFTER):
        outage = _name("classifier", now)
    still = [one for one in (*standing.waiting, *held) if one not in late]
    waiting = tuple(dict.fromkeys(still))[:MOST_WAITING]
    down = replace(standing, down_since=since, down_at=now, recovered=False)
    return replace(down, outage=outage, waiting=waiting)


def _long_enough(standing: _Standing, now: datetime) -> bool:
    return now - (standing.down_at or now) >= OVER_AFTER


def _up(standing: _Standing, outage: str | None) -> _Standing:
    """Unless another outage has begun meanwhile."""
    if standing.outage != outage:
        return standing
    return replace(standing, down_since=None, down_at=None, outage=None, waiting=())


def _calm(standing: _Standing, burst: str) -> _Standing:
    return replace(standing, burst=None) if standing.burst == burst else standing


def _with_members(case: Case, ids: Sequence[str], waiting: int, now: datetime) -> Case:
    incident = case.notice
    if not isinstance(incident, Incident):
        return case
    new = [one for one in ids if one not in incident.cases]
    after = replace(
        incident,
        count=incident.count + len(new),
        cases=(*incident.cases, *new)[-MOST_MEMBERS:],
        waiting=waiting,
    )
    return case if after == incident else _drawn(case, after, now)


def _ended(case: Case, now: datetime) -> Case:
    incident = case.notice
    if not isinstance(incident, Incident) or incident.until:
        return case
    return _drawn(case, replace(incident, until=now, waiting=0), now)


def _drawn(case: Case, incident: Incident, now: datetime) -> Case:
    return with_update(replace(case, notice=incident), now)


def _name(cause: Cause, now: datetime) -> str:
    return f"incident-{cause}-{now.astimezone(UTC):%Y%m%dT%H%M%S}"


def _begun(incident_id: str) -> datetime:
    _, _, begun = incident_id.rpartition("-")
    return datetime.strptime(begun, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def _standing(noted: Any, bursts: Bursts, now: datetime) -> _Standing:
    noted = noted or {}
    cards = {
        one: (_moment(at), incident)
        for one, (at, incident) in noted.get("cards", {}).items()
        if _moment(at) > now - bursts.window
    }
    since, last = noted.get("down_since"), noted.get("down_at")
    return _Standing(
        cards=cards,
        burst=noted.get("burst"),
        down_since=_moment(since) if since else None,
        down_at=_moment(last) if last else None,
        recovered=noted.get("recovered", False),
        outage=noted.get("outage"),
        waiting=tuple(noted.get("waiting", ())),
    )


def _to_json(standing: _Standing) -> dict[str, Any]:
    since, last = standing.down_since, standing.down_at
    return {
        "cards": {one: [at.isoformat(), into] for one, (at, into) in standing.cards.items()},
        "burst": standing.burst,
        "down_since": since and since.isoformat(),
        "down_at": last and last.isoformat(),
        "recovered": standing.recovered,
        "outage": standing.outage,
        "waiting": list(standing.waiting),
    }


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
