"""A file of tweets through the whole pipeline, in this process."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.local.files import Bad, chunks
from bot.local.host import InProcess, Pump
from bot.local.serverless import Trigger, functions
from bot.triage import Arrival, message
from bot.tweets import Tweet
from bot.wire import Deleted
from bot.wiring import Parts

CHUNK: Final = 500
PATIENCE: Final = 100
"""How many times in a row nothing may happen before what is missing counts as waiting."""
PATIENCE_AFAR: Final = 20
"""The same where the functions of a deployed stage do the work."""


@dataclass(slots=True)
class Report:
    """What became of a file's rows, by `new` route, `known`, `deleted`, `waiting`, `refused`."""

    counts: Counter[str] = field(default_factory=Counter)

    def sentence(self) -> str:
        """The summary a person reads."""
        new = self.counts["escalate"] + self.counts["reply"] + self.counts["skip"]
        count = self.counts
        return (
            f"{count['rows']} read: {new} new cases ({count['escalate']} escalated, "
            f"{count['reply']} for the reply bot, {count['skip']} skipped), {count['known']} known "
            f"before, {count['deleted']} deletions, {count['waiting']} waiting, "
            f"{count['refused']} refused."
        )


def ingest(
    found: Iterable[Tweet | Deleted | Bad],
    invoke: InProcess | None,
    parts: Parts,
    refused: Callable[[Bad], None],
    progress: Callable[[int], object],
) -> Report:
    """Sends what was found through the queues and the functions behind them.

    Runs as well beside a bot that is running on the same data; `invoke` is None where only that
    does the work. `refused` is told each bad row, `progress` how many rows are done.
    """
    report = Report()
    pumps = _pumps(invoke, parts) if invoke else []
    for chunk in chunks(found, CHUNK):
        good = [one for one in chunk if not isinstance(one, Bad)]
        for bad in (one for one in chunk if isinstance(one, Bad)):
            report.counts["refused"] += 1
            refused(bad)
        _send(good, parts, pumps, report)
        report.counts["rows"] += len(chunk)
        progress(len(chunk))
    return report


def _send(
    good: Sequence[Tweet | Deleted], parts: Parts, pumps: Sequence[Pump], report: Report
) -> None:
    now, trace = parts.clock(), parts.trace()
    posts = [one for one in good if isinstance(one, Tweet)]
    known = parts.store.get([tweet.root_id for tweet in posts])
    parts.tweets.send([message(Arrival(one, now, trace)) for one in good])
    report.counts["deleted"] += len(good) - len(posts)
    fresh = list(dict.fromkeys(t.root_id for t in posts if t.root_id not in known))
    report.counts["known"] += len(posts) - len(fresh)
    decided = _decided(fresh, parts, pumps) if pumps else _decided_afar(fresh, parts)
    report.counts["waiting"] += len(fresh) - len(decided)
    report.counts.update(decided)


def _decided(ids: Sequence[str], parts: Parts, pumps: Sequence[Pump]) -> list[str]:
    """The routes of these tweets, once all are decided or nothing moves any more."""
    never = threading.Event()
    for _ in range(PATIENCE):
        while sum(pump.once(never) for pump in pumps):
            pass
        cases = parts.store.get(ids)
        if len(cases) == len(ids):
            return [case.route for case in cases.values()]
        waiting, _dead = parts.tweets.depth()
        if not waiting:
            break
        never.wait(0.05)
    # Read again: a bot that runs beside us may have decided the last ones meanwhile.
    return [case.route for case in parts.store.get(ids).values()]


def _decided_afar(ids: Sequence[str], parts: Parts) -> list[str]:
    """The same of a stage, whose queue does not tell at once what it holds."""
    never = threading.Event()
    cases = parts.store.get(ids)
    for _ in range(PATIENCE_AFAR):
        if len(cases) == len(ids):
            break
        never.wait(0.5)
        cases = parts.store.get(ids)
    return [case.route for case in cases.values()]


def _pumps(invoke: InProcess, parts: Parts) -> list[Pump]:
    queues = parts.queues
    return [
        Pump(function, Trigger(trigger.queue, trigger.batch_size, 0), queues[trigger.queue], invoke)
        for function in functions()
        for trigger in function.triggers
    ]
