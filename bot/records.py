"""A case as JSON: what stores keep of it, and the row that lists show."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from bot import tweets
from bot.cases import Case, Effect, Entry
from bot.verdicts import Verdict, Weight


def to_json(case: Case) -> dict[str, Any]:
    """The case as plain JSON values, for the stores."""
    verdict = case.verdict
    return {
        **_plain(case),
        "tweet": tweets.to_json(case.tweet),
        "received_at": case.received_at.isoformat(),
        "decided_at": case.decided_at.isoformat(),
        "verdict": verdict and {**_plain(verdict), "words": [_plain(w) for w in verdict.words]},
        "effects": [_stamped(_plain(effect), "due_at") for effect in case.effects],
        "history": [_stamped(_plain(entry), "at") for entry in case.history],
    }


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
            "effects": tuple(
                Effect(**{**_known(Effect, effect), "due_at": _moment(effect["due_at"])})
                for effect in record["effects"]
            ),
            "history": tuple(
                Entry(**{**entry, "at": _moment(entry["at"])}) for entry in record["history"]
            ),
        }
    )


def _verdict(record: Mapping[str, Any]) -> Verdict:
    words = tuple(Weight(**weight) for weight in record.get("words", ()))
    return Verdict(**{**_known(Verdict, record), "words": words})


def _known(kind: type[Case | Effect | Verdict], record: Mapping[str, Any]) -> dict[str, Any]:
    # A newer release may have written fields of its own before it was rolled back.
    return {field.name: record[field.name] for field in fields(kind) if field.name in record}


def _plain(value: Case | Effect | Entry | Verdict | Weight) -> dict[str, Any]:
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
        "label": case.label,
    }
