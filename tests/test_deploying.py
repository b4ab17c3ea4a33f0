"""`deploy` where it is refused, asks, or fails; tests/e2e/test_deploying.py has it succeed."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.cloudformation.models import Event, cloudformation_backends

from bot import amazon
from bot.__main__ import main
from bot.errors import Refused
from bot.local.serverless import functions
from bot.local.stages import asking, deploying, osls, releases, stacks, stage
from bot.local.stages.releases import Release
from bot.settings import HOUSE
from bot.wiring import now
from tests.standins import aws

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}},
        "Topic": {"Type": "AWS::SNS::Topic"},
    }
}
STACK = "tweet-escalator-trial"
FUNCTIONS = {
    function.name: {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": f"{STACK}-{function.name}",
            "MemorySize": 512,
            "Code": {"S3Key": "releases/1/tweet-escalator.zip"},
        },
    }
    for function in functions()
}
PACKAGED = {"Resources": {**TEMPLATE["Resources"], **FUNCTIONS}}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as url:
        yield url


@pytest.fixture
def account(moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An empty AWS, and somebody who may do everything there."""
    aws.reset(moto)
    for name in list(os.environ):
        if name.startswith("AWS_") and name != "AWS_CA_BUNDLE":
            monkeypatch.delenv(name)
    nowhere = str(tmp_path / "nowhere")
    own = {"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}
    known = {**aws.CREDENTIALS, "AWS_ENDPOINT_URL": moto, "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in {**own, **known, "AWS_DEFAULT_REGION": aws.REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("bot.__main__.load_dotenv", lambda _: None)
    monkeypatch.setattr(stage, "FILES", tmp_path / "stages")
    monkeypatch.setattr(deploying, "HOUSE", tmp_path)
    amazon.session.cache_clear()
    yield moto
    amazon.session.cache_clear()


@pytest.fixture
def framework(account: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Instead of the framework one that packages `PACKAGED`, and cannot deploy.

    What it was called with stands in the file that is returned.
    """
    assert account
    calls, package, script = tmp_path / "calls", tmp_path / "package", tmp_path / "osls"
    package.mkdir()
    (package / osls.TEMPLATE).write_text(json.dumps(PACKAGED))
    script.write_text(f'#!/bin/sh\necho "$@" >>"{calls}"\n[ "$1" = package ]\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    for name, path in {
        "OSLS": script,
        "STAMP": script,
        "MODEL": script,
        "PACKAGE": package,
    }.items():
        monkeypatch.setattr(osls, name, path)
    return calls


def deploy(*more: str) -> int:
    return main(["deploy", "--stage", "trial", *more])


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, *types: str) -> None:
    left = iter(types)
    monkeypatch.setattr(asking, "terminal", lambda _: True)
    monkeypatch.setattr("builtins.input", lambda _: next(left))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["deploy", "rollback", "remove"])
def test_a_missing_npm_is_one_sentence(target: str, tmp_path: Path) -> None:
    shutil.copy(HOUSE / "Makefile", tmp_path)
    done = subprocess.run(
        [str(shutil.which("make")), target],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "npm is not here: install Node 20.19 or newer (nodejs.org).\n"


@pytest.mark.usefixtures("account")
def test_what_was_not_set_up_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(osls, "OSLS", HOUSE / "nowhere/osls")
    assert deploy() == 2
    told = capsys.readouterr().err
    assert told == "nowhere/osls is not here yet: run `make deploy STAGE=trial`, which makes it.\n"


@pytest.mark.usefixtures("framework")
class TestWhoeverDeploys:
    def test_needs_a_region(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        assert deploy() == 2
        assert "write REGION=us-east-1, say, into stages/trial.env" in capsys.readouterr().err

    def test_needs_credentials(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in aws.CREDENTIALS:
            monkeypatch.delenv(name)
        assert deploy() == 2
        told = capsys.readouterr().err
        assert "There are no AWS credentials that work" in told
        assert "aws sso login" in told

    def test_without_a_terminal_has_to_say_that_it_shall_go_on(
        self, framework: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert deploy() == 2
        said = capsys.readouterr()
        assert said.err == (
            "Nobody can be asked here: if it shall go on by itself, `make deploy STAGE=trial "
            "YES=1`.\n"
        )
        assert "It makes 9 functions, 1 queue, 1 topic for the alarms." in said.out
        assert "deploy" not in framework.read_text()

    def test_is_asked_for_what_is_missing_and_whether_to_go_on(
        self, framework: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        at_a_terminal(monkeypatch, "eu-central-1", "lead@example.com", "", "n")
        assert deploy() == 1
        _, *lines = (tmp_path / "stages/trial.env").read_text().splitlines()
        assert lines == ["REGION=eu-central-1", "ALARM_EMAIL=lead@example.com", "CLASSIFIER="]
        [packaged] = framework.read_text().splitlines()
        assert "--stage trial --region eu-central-1" in packaged
        assert "--param=ALARM_EMAIL=lead@example.com" in packaged

    def test_is_asked_no_more_than_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        at_a_terminal(monkeypatch, "", "", "", "", "no", "no")
        assert [deploy(), deploy()] == [1, 1]

    def test_is_told_where_a_stack_is_that_was_never_made(
        self, moto: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made(moto).status = "ROLLBACK_COMPLETE"
        assert deploy("--yes") == 2
        assert "`make remove STAGE=trial`" in capsys.readouterr().err

    def test_waits_for_who_changes_the_stack_already(
        self, moto: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made(moto).status = "UPDATE_IN_PROGRESS"
        assert deploy("--yes") == 2
        assert "is being changed (UPDATE_IN_PROGRESS)" in capsys.readouterr().err

    def test_is_told_what_failed_first_and_why(
        self, moto: str, framework: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stack, soon = made(moto), datetime.now(UTC) + timedelta(hours=1)
        long_ago = soon - timedelta(days=1)
        for at, name, reason in (
            (long_ago, "Dead", "It failed yesterday."),
            (soon, "Other", "Resource creation cancelled"),
            (soon, "Topic", "Topics are forbidden."),
            (soon, "Later", "Another followed."),
        ):
            stack.events.append(failure(at, name, reason))
        assert deploy("--yes") == 1
        said = capsys.readouterr().out
        assert "CloudFormation stopped at Topic (AWS::SNS::Topic): Topics are forbidden." in said
        assert f"--stack-name {STACK}" in said
        assert framework.read_text().splitlines()[-1].startswith("deploy --package ")


def made(moto: str):  # type: ignore[no-untyped-def]  # noqa: ANN201  moto's own stack
    aws.client("cloudformation", moto).create_stack(
        StackName=STACK, TemplateBody=json.dumps(TEMPLATE)
    )
    [stack] = cloudformation_backends["123456789012"][aws.REGION].stacks.values()
    return stack


def failure(at: datetime, name: str, reason: str) -> Event:
    event = Event(
        stack_id=STACK,
        stack_name=STACK,
        logical_resource_id=name,
        physical_resource_id=name,
        resource_type="AWS::SNS::Topic",
        resource_status="CREATE_FAILED",
        resource_status_reason=reason,
        resource_properties=None,
    )
    event.timestamp = at
    return event


@pytest.mark.usefixtures("account")
def test_of_a_stack_that_is_not_there_no_failure_is_told() -> None:
    assert stacks.failed("trial", now())[0].startswith("CloudFormation tells of no failure")


RELEASES = [Release(at, f"releases/{at}", {}) for at in (3_000, 2_000, 1_000)]


class TestTheReleaseToGoBackTo:
    def test_is_the_one_before_the_deployed(self) -> None:
        assert releases.chosen(RELEASES, "releases/3000", None) == RELEASES[1]
        assert releases.chosen(RELEASES, "releases/2000", None) == RELEASES[2]

    def test_is_the_one_that_was_named(self) -> None:
        assert releases.chosen(RELEASES, "releases/1000", 3_000) == RELEASES[0]

    @pytest.mark.parametrize(
        ("current", "named"),
        [("releases/1000", None), ("releases/elsewhere", None), (None, None), ("releases/3000", 4)],
    )
    def test_must_be_there(self, current: str | None, named: int | None) -> None:
        with pytest.raises(Refused, match="There is no release"):
            releases.chosen(RELEASES, current, named)

    def test_is_told_by_its_time_and_commit(self) -> None:
        template = {"Outputs": {"Release": {"Value": "445b94c"}}}
        release = Release(1_795_432_288_467, "folder", template)
        assert release.told == "2026-11-23 11:11:28 UTC  TO=1795432288467  445b94c"
