"""From a model archive, or the posts to train one on, to a model in service and its record."""

import getpass
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bot import settings
from bot.errors import Refused
from bot.learning.evaluating.patience import PatientClassifier
from bot.learning.publishing import choosing, cloud, endpoints, gate, jobs, record, roles, stages
from bot.learning.publishing.artifacts import Artifact, opened
from bot.learning.publishing.destinations import Destination, copied
from bot.learning.publishing.gate import TestSet, Trial
from bot.local.terminal import printable, show
from bot.settings import Settings
from bot.wiring import Parts, now

Environment = Mapping[str, str]

WAIT: Final = time.sleep

COMPARED: Final = 50
"""Posts of the test set of which an endpoint must say what the artifact says."""


def publish(arguments: Namespace, environment: Environment) -> int:
    """See `bot.learning.verbs.publish`."""
    chosen = settings.read(environment)
    asked = chosen.sagemaker_endpoint if chosen.classifier == "sagemaker" else None
    note = record.note_of(arguments.endpoint if arguments.endpoint != asked else None)
    store = Parts(chosen).store
    before = record.latest(store, note)
    if arguments.list:
        return _listed(arguments, before)
    at, who, reason = now(), arguments.by or _user(), _reason(arguments)
    destination = choosing.destination(arguments, environment, chosen, _hosting(at))
    test = gate.test_set(_test_file(arguments))
    artifact = _artifact(arguments, at)
    trial = _tried(artifact, destination, test, chosen)
    objections = _objections(before, destination, artifact, test, trial)
    _say(_figures(artifact, trial))
    if objections and not reason:
        raise Refused(
            f"{artifact.name} was not published: {'; '.join(objections)}. "
            '`--force "reason"` publishes it all the same, and is recorded.'
        )
    made = record.made(artifact, destination.where, test, trial, who, at)
    forced = {"forced": reason, "objections": objections} if objections else {}
    following = destination.put(artifact, [row.text for row in test.rows[:COMPARED]])
    record.kept(store, note, {**made, **forced})
    told = [f"Published {artifact.name} to {destination.where}.", *following]
    show(arguments, {**record.brief({**made, **forced}), "next": following}, "\n".join(told))
    return 0


def _user() -> str:
    """Who is signed in here. Raises `Refused` where nobody can be told."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        raise Refused("Who publishes is not known here: say it with --by NAME.") from None


def _reason(arguments: Namespace) -> str:
    """Why it is forced, empty where it is not. Raises `Refused` for more than a note can keep."""
    reason: str = (arguments.force or "").strip()
    if max(len(reason), len(arguments.by or "")) > record.LONGEST:
        raise Refused(f"--force and --by have at most {record.LONGEST} characters each.")
    return reason


def _hosting(at: datetime) -> choosing.Host:
    def host(endpoint: str) -> endpoints.Hosting:
        return endpoints.Hosting(cloud.entered(), endpoint, WAIT, _say, at)

    return host


def _test_file(arguments: Namespace) -> Path:
    if arguments.test is None:
        raise Refused(
            "Name the frozen test set with --test FILE: labelled posts that no model learns from, "
            "and the same file each time."
        )
    file: Path = arguments.test
    return file


def _artifact(arguments: Namespace, at: datetime) -> Artifact:
    if (arguments.model is None) == (arguments.train_on is None):
        raise Refused("Name a model archive, or what to train one on: --train-on sagemaker DATA.")
    return opened(arguments.model) if arguments.model else _trained(arguments, at)


def _trained(arguments: Namespace, at: datetime) -> Artifact:
    """The model that a training job makes; its archive is kept with the others."""
    where, *files = arguments.train_on
    if where != "sagemaker" or not files or not arguments.bucket:
        raise Refused(
            "Training there is said as --train-on sagemaker DATA.csv --bucket NAME; here it is "
            "`python -m bot train`."
        )
    there = cloud.entered()
    role = arguments.role or roles.training(there, arguments.bucket, jobs.PREFIX)
    job = jobs.Job(there, arguments.bucket, role, WAIT, _say, at)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "model.tar.gz")
        job.trained([Path(file) for file in files], arguments.name, archive)
        made = opened(archive)
        kept = stages.MODELS / f"{made.name}.tar.gz"
        copied(archive, kept)
    _say(f"The model lies in {kept}.")
    return opened(kept)


def _tried(artifact: Artifact, destination: Destination, test: TestSet, chosen: Settings) -> Trial:
    serving = destination.serving()
    patient = PatientClassifier(serving, WAIT) if serving else None
    return gate.tried(test, destination.judging(artifact), patient, chosen.threshold)


def _objections(
    before: record.Record | None,
    destination: Destination,
    artifact: Artifact,
    test: TestSet,
    trial: Trial,
) -> list[str]:
    found = (
        record.check_test(before, test),
        stages.outdated(destination, before),
        gate.learnt(artifact, test),
        trial.objection,
    )
    return [one for one in found if one]


def _figures(artifact: Artifact, trial: Trial) -> str:
    def told(figures: Any) -> str:
        rank = "none" if figures.pr_auc is None else f"{figures.pr_auc:.4f}"
        return f"PR-AUC {rank}, F1 {figures.f1:.4f} at threshold {figures.threshold:g}"

    lines = [f"{artifact.name}: {told(trial.new)}, on {trial.new.rows} posts."]
    lines.append(f"In service: {told(trial.old)}." if trial.old else "Nothing is in service yet.")
    return "\n".join(lines)


def _listed(arguments: Namespace, latest: record.Record | None) -> int:
    records = [latest, *latest.get("before", ())] if latest else []
    rows = [record.brief(one) for one in records]
    for row in rows:
        forced = f", forced: {row['forced']}" if row.get("forced") else ""
        show(
            arguments,
            row,
            f"{row['at'][:16]}Z  {row['model']} to {row['where']}, by {row['who']}: "
            f"PR-AUC {row['pr_auc']}, F1 {row['f1']}{forced}",
        )
    if not rows and not arguments.json:
        _say("Nothing was published yet.")
    return 0


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)  # noqa: T201
