"""`make deploy`, `rollback` and `remove` with the framework itself, against moto's server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.packaged import FILES, FOLDERS, MADE_BY_SETUP, ROOT
from tests.standins import aws, cloudformation

# moto says what it passes over of a template.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
    pytest.mark.filterwarnings("ignore:Unable to delete:UserWarning"),
]

STAGE = "trial"
STACK = f"tweet-escalator-{STAGE}"


@pytest.fixture
def cloud() -> Iterator[str]:
    with cloudformation.mended(), aws.moto_server() as url:
        yield url


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the project, with next to nothing for dependencies and a model."""
    missing = [name for name in MADE_BY_SETUP if not (ROOT / name).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not here: run `make setup` first")
    copy = tmp_path / "a copy"
    for name in set(FOLDERS) - {"build/dependencies"}:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.rmtree(copy / "aws/stages", ignore_errors=True)
    (copy / "build/dependencies").mkdir(parents=True)
    for name in ("build/dependencies/one.py", "build/model.tar.gz"):
        (copy / name).write_text("")
    for name in set(FILES) - {"build/model.tar.gz"}:
        shutil.copy(ROOT / name, copy / name)
    (copy / "node_modules").symlink_to(ROOT / "node_modules")
    return copy


class Engineer:
    """Somebody at a command line without a terminal, with an account."""

    def __init__(self, house: Path, cloud: str) -> None:
        self.house = house
        self.cloud = cloud
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(house),
            **aws.CREDENTIALS,
            "AWS_DEFAULT_REGION": aws.REGION,
            "AWS_ENDPOINT_URL": cloud,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SLS_AWS_MONITORING_FREQUENCY": "50",
        }

    def does(self, *verb: str, types: str = "") -> Any:
        return subprocess.run(
            [sys.executable, "-m", "bot", *verb, "--stage", STAGE],
            cwd=self.house,
            env=self.environment,
            input=types,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def did(self, *verb: str, types: str = "") -> str:
        done = self.does(*verb, types=types)
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    def setting(self, name: str) -> str:
        """What the deployed functions have."""
        client = aws.client("lambda", self.cloud)
        found = client.get_function_configuration(FunctionName=f"{STACK}-reply")
        return str(found["Environment"]["Variables"][name])

    def stacks(self) -> list[str]:
        found = aws.client("cloudformation", self.cloud).describe_stacks()["Stacks"]
        return [stack["StackName"] for stack in found]


@pytest.fixture
def engineer(house: Path, cloud: str) -> Engineer:
    return Engineer(house, cloud)


def test_a_stage_is_deployed_changed_rolled_back_and_removed(engineer: Engineer) -> None:
    file = engineer.house / "aws/stages" / f"{STAGE}.env"

    file.parent.mkdir()
    file.write_text("# mine\nAUTO_REPLY=dry-run\n")
    first = engineer.did("deploy", "--yes")
    assert file.read_text() == "# mine\nAUTO_REPLY=dry-run\nREGION=us-east-1\n"
    assert "It makes 9 functions, 8 routes, 8 queues, 1 table, 3 secrets" in first
    assert f"python -m bot secret set slack --stage {STAGE}" in first
    assert f"XSecretId{' ' * 23}arn:aws:secretsmanager:us-east-1:" in first
    assert engineer.setting("AUTO_REPLY") == "dry-run"
    listed = engineer.did("secret", "list", "--json").splitlines()
    states = {row["name"]: row["state"] for row in map(json.loads, listed)}
    assert (states["API_PASSWORD"], states["X_CONSUMER_KEY"]) == ("set", "missing")

    file.write_text("# mine\nAUTO_REPLY=off\nREGION=us-east-1\n")
    second = engineer.did("deploy", "--yes")
    assert "~ ReplyLambdaFunction, AWS::Lambda::Function (Environment)" in second
    assert "CasesTable," not in second
    assert engineer.setting("AUTO_REPLY") == "off"

    listing = engineer.does("rollback")
    assert "YES=1" in listing.stderr
    newest, oldest, *_ = listing.stdout.splitlines()
    assert newest.endswith("(deployed)")
    assert not oldest.endswith("(deployed)")
    assert engineer.setting("AUTO_REPLY") == "off"
    engineer.did("rollback", "--yes")
    assert engineer.setting("AUTO_REPLY") == "dry-run"
    earlier = engineer.does("rollback", "--yes")
    assert "There is no release before the deployed one" in earlier.stderr
    assert file.read_text() == "# mine\nAUTO_REPLY=off\nREGION=us-east-1\n"

    assert "Nothing was removed." in engineer.does("remove", types="prod\n").stdout
    assert engineer.stacks() == [STACK]
    removed = engineer.did("remove", types=f"{STAGE}\n")
    assert engineer.stacks() == []
    [table] = aws.client("dynamodb", engineer.cloud).list_tables()["TableNames"]
    assert f"aws dynamodb delete-table --table-name {table}" in removed
    assert f"make deploy STAGE={STAGE}" in engineer.does("rollback").stderr
