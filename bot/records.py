"""A case as JSON: what stores keep of it, and the row that lists show."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Final

from bot import tweets
from bot.cases import Case, Effect, Entry, Label
from bot.notices import Digest, Drift, Incident, Notice
from bot.verdicts import Verdict, Weight

log = logging.getLogger(__name__)

VERSION: Final = 1
"""Of the form of our records; one that says none has the first.

Raise it where the release before this one would spoil a record by changing it; it then leaves it
alone. Fields that it drops unharmed ask for no new version.
"""
LARGEST: Final = 390_000
"""Bytes of a record: a DynamoDB item takes 400 KB with all that stands beside it ("Constraints in
Amazon DynamoDB", "Item size")."""
FEWEST: Final = 20
"""Of what a record lists, as many are kept however large it is."""
CUT_TO: Final = 300
"""Characters of each sentence in a record that is too large."""
CUT: Final = "what was here is cut, for a record can hold no more."

_Record = Case | Effect | Entry | Label | Verdict | Weight | Notice


def to_json(case: Case) -> dict[str, Any]:
    """The case as plain JSON values, for the stores."""
    verdict = case.verdict
    return {
        **_plain(case),
        "open": case.open,  # for those who look for it in the JSON
        "tweet": tweets.to_json(case.tweet),
        "received_at": case.received_at.isoformat(),
        "decided_at": case.decided_at.isoformat(),
        "verdict": verdict and {**_plain(verdict), "words": [_plain(w) for w in verdict.words]},
        "effects": [
            _stamped(_stamped(_plain(effect), "due_at"), "begun_at") for effect in case.effects
        ],
        "history": [_stamped(_plain(entry), "at") for entry in case.history],
        "label": case.label and _stamped(_plain(case.label), "at"),
        "lines": [_stamped(_plain(entry), "at") for entry in case.lines],
        "remind_at": case.remind_at and case.remind_at.isoformat(),
        "snoozed_until": case.snoozed_until and case.snoozed_until.isoformat(),
        "notice": case.notice and _notice_to_json(case.notice),
    }


def body(case: Case) -> str:
    """The case as the stores keep it, never larger than `LARGEST`.

    Of one that is, the oldest lines of its story go first; its post's text stays whole.
    """
    written = _written(case)
    if len(written) <= LARGEST // 4 or _size(written) <= LARGEST:  # four bytes are the most
        return written
    log.warning("Case %s is too large to be kept whole: the least of it is cut.", case.id)
    for cut in _CUTS:
        case = cut(case)
        written = _written(case)
        if _size(written) <= LARGEST:
            break
    return written


def is_newer(record: object) -> bool:
    """Whether a newer release wrote this record, so that only that one may change it."""
    version = record.get("version", VERSION) if isinstance(record, Mapping) else VERSION
    return isinstance(version, int) and version > VERSION


def _written(case: Case) -> str:
    return json.dumps({"version": VERSION, **to_json(case)}, ensure_ascii=False)


def _size(written: str) -> int:
    return len(written.encode())


def _with_shorter_story(case: Case) -> Case:
    history = case.history[-FEWEST:]
    if len(history) < len(case.history):
        history = (Entry(history[0].at, "bot", CUT), *history[1:])
    return replace(case, history=tuple(map(_shorter, history)))


def _without_words(case: Case) -> Case:
    verdict = case.verdict and replace(case.verdict, tokens=case.verdict.tokens[:CUT_TO], words=())
    return replace(case, verdict=verdict)


def _with_shorter_lines(case: Case) -> Case:
    # Those on their way are counted from the front, and stay.
    return replace(case, lines=tuple(map(_shorter, case.lines)))


def _with_shorter_sentences(case: Case) -> Case:
    def effect(one: Effect) -> Effect:
        problem = one.problem and one.problem[:CUT_TO]
        withdrawn = one.withdrawn and one.withdrawn[:CUT_TO]
        return replace(one, problem=problem, withdrawn=withdrawn)

    return replace(
        case,
        effects=tuple(map(effect, case.effects)),
        reasons=tuple(reason[:CUT_TO] for reason in case.reasons[:FEWEST]),
        deeds=tuple(deed[:CUT_TO] for deed in case.deeds),
    )


def _with_fewer_names(case: Case) -> Case:
    author, tweet = case.tweet.author, case.tweet
    handle, name = author.handle and author.handle[:CUT_TO], author.name and author.name[:CUT_TO]
    tweet = replace(
        tweet,
        author=replace(author, handle=handle, name=name),
        mentions=frozenset(one[:CUT_TO] for one in sorted(tweet.mentions)[:FEWEST]),
        media=tweet.media[:FEWEST],
    )
    return replace(case, tweet=tweet)


_CUTS: Final[tuple[Callable[[Case], Case], ...]] = (
    _with_shorter_story,
    _without_words,
    _with_shorter_lines,
    _with_shorter_sentences,
    _with_fewer_names,
)


def _shorter(entry: Entry) -> Entry:
    return replace(entry, what=entry.what[:CUT_TO])


def from_json(record: Mapping[str, Any]) -> Case:
    """The case of what `to_json` made."""
    return Case(
        **{
            **_known(Case, record),
            "tweet": tweets.from_json(record["tweet"]),
            "reasons": tuple(record["reasons"]),
            "received_at": _moment(record["received_at"]),
            "decided_at": _moment(record["decided_at"]),
            "verdict": record["verdict"] and _verdict(record["verdict"]),
            "effects": tuple(_effect(effect) for effect in record["effects"]),
            "history": _entries(record["history"]),
            "label": _label(record.get("label"), record["received_at"]),
            "lines": _entries(record.get("lines", ())),
            "deeds": tuple(record.get("deeds", ())),
            "remind_at": _moment(record.get("remind_at")),
            "snoozed_until": _moment(record.get("snoozed_until")),
            "notice": _notice(record.get("notice")),
        }
    )


def _effect(record: Mapping[str, Any]) -> Effect:
    moments = {name: _moment(record.get(name)) for name in ("due_at", "begun_at")}
    return Effect(**{**_known(Effect, record), **moments})


def _entries(listed: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    return tuple(Entry(**{**entry, "at": _moment(entry["at"])}) for entry in listed)


def _label(record: Any, received_at: str) -> Label | None:
    if isinstance(record, bool):  # an earlier release did not say who gave it, nor when
        return Label(record, "", _moment(received_at), None)
    return Label(**{**_known(Label, record), "at": _moment(record["at"])}) if record else None


_NOTICES: Final[Mapping[str, type[Notice]]] = {
    "incident": Incident,
    "digest": Digest,
    "drift": Drift,
}


def _notice_to_json(notice: Notice) -> dict[str, Any]:
    kind = next(name for name, one in _NOTICES.items() if isinstance(notice, one))
    record = _stamped(_stamped(_plain(notice), "since"), "until")
    return {**record, "notice": kind}


def _notice(record: Any) -> Notice | None:
    if not record:
        return None
    kind = _NOTICES[record["notice"]]
    fields = _known(kind, record)
    fields |= {name: _moment(record[name]) for name in ("since", "until")}
    fields |= {name: tuple(fields[name]) for name in ("cases", "said") if name in fields}
    return kind(**fields)


def _verdict(record: Mapping[str, Any]) -> Verdict:
    words = tuple(Weight(**weight) for weight in record.get("words", ()))
    return Verdict(**{**_known(Verdict, record), "words": words})


def _known(kind: type[_Record], record: Mapping[str, Any]) -> dict[str, Any]:
    # A newer release may have written fields of its own before it was rolled back.
    return {field.name: record[field.name] for field in fields(kind) if field.name in record}


def _plain(value: _Record) -> dict[str, Any]:
    # dataclasses.asdict copies every value on its way, which a store of thousands would feel.
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _stamped(record: dict[str, Any], name: str) -> dict[str, Any]:
    moment: datetime | None = record[name]
    return {**record, name: moment and moment.isoformat()}


def _moment(value: str | None) -> Any:
    return value and datetime.fromisoformat(value).astimezone(UTC)


def summary(case: Case) -> dict[str, Any]:
    """The row that `cases --json` and the console show."""
    author = case.tweet.author
    return {
        "tweet_id": case.id,
        "text": case.tweet.text,
        "author": author.handle or author.id,
        "route": case.route,
        "reasons": list(case.reasons),
        "escalate": case.route == "escalate",
        "confidence": case.verdict.confidence if case.verdict else None,
        "effects": [
            {
                "kind": effect.kind,
                "state": effect.state,
                "due_at": effect.due_at and effect.due_at.isoformat(),
                "outside_id": effect.outside_id,
            }
            for effect in case.effects
        ],
        "assignee": case.assignee,
        "resolved": case.resolved,
        "label": case.label and case.label.escalate,
    }
