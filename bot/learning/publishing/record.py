"""What was published, when, by whom and why: a note in the case store, the latest first."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from bot.drift import baseline_of
from bot.errors import Refused
from bot.learning.publishing.artifacts import Artifact
from bot.learning.publishing.gate import TestSet, Trial
from bot.ports import CaseStore

NOTE: Final = "publication"
KEPT: Final = 20
"""Earlier publications that are remembered."""
LONGEST: Final = 1000
"""Characters of a reason or a name: with all that is kept a note stays far below an item's 400 KB
(Amazon DynamoDB developer guide, "Quotas")."""
_BRIEF: Final = ("model", "where", "at", "who", "test", "forced", "f1", "pr_auc")

Record = dict[str, Any]


def note_of(endpoint: str | None) -> str:
    """The note's name: `publication` for the bot's own model, else with the endpoint's name."""
    return f"{NOTE}:{endpoint}" if endpoint else NOTE


def made(
    artifact: Artifact, where: str, test: TestSet, trial: Trial, who: str, at: datetime
) -> Record:
    """What is recorded of a publication; `baseline` is what drift is measured against."""
    description = artifact.description
    baseline = baseline_of(description.card.get("baseline"))
    return {
        "model": artifact.name,
        "name": description.name[:LONGEST],
        "id": artifact.id,
        "digest": artifact.digest,
        "variant": artifact.variant,
        "data": description.data[:64],
        "baseline": baseline and asdict(baseline),
        "where": where,
        "at": at.isoformat(),
        "who": who,
        "test": test.digest,
        "rows": len(test.rows),
        "figures": {"new": asdict(trial.new), "old": trial.old and asdict(trial.old)},
        "f1": round(trial.new.f1, 4),
        "pr_auc": trial.new.pr_auc and round(trial.new.pr_auc, 4),
        "forced": None,
    }


def kept(store: CaseStore, note: str, record: Record) -> None:
    """The record is the latest from now on."""

    def changed(before: Any) -> Record:
        earlier = [_remembered(before), *before.get("before", ())] if before else []
        return {**record, "before": earlier[:KEPT]}

    store.change_note(note, changed)


def brief(record: Mapping[str, Any]) -> Record:
    """What is listed of a publication."""
    return {name: record.get(name) for name in _BRIEF}


def _remembered(record: Mapping[str, Any]) -> Record:
    """What is kept of a publication after the next: its weeks are still looked at for drift."""
    return brief(record) | {name: record.get(name) for name in ("name", "baseline")}


def check_test(latest: Mapping[str, Any] | None, test: TestSet) -> str | None:
    """A sentence where the test set is another than that of the last publication."""
    if not latest or latest["test"] == test.digest:
        return None
    return (
        f"the test set is not the one of the last publication (SHA-256 {latest['test'][:12]}…), so "
        "the figures cannot be compared"
    )


def latest(store: CaseStore, note: str) -> Record | None:
    """The last publication. Raises `Refused` where the note is of a form unknown here."""
    found = store.note(note)
    if found is not None and not (isinstance(found, dict) and "test" in found):
        raise Refused("The record of publications is not readable by this version: update it.")
    return found
