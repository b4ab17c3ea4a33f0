"""The package as `osls package` writes it: offline, without an account, once for all tests."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stacks import Stack, stack_of

ROOT = Path(__file__).parents[1]
TEMPLATE = "cloudformation-template-update-stack.json"
MAILED = "ALARM_EMAIL=lead@example.com"
FOLDERS = ("aws", "bot", "handlers", "build/dependencies")
FILES = (
    *("serverless.yml", "rules.toml", "replies.toml"),
    *("requirements.txt", "requirements-local.txt"),
    *("build/dependencies.stamp", "build/model.tar.gz"),
)
STRAYS = (".env", ".data/cases.sqlite", "tests/test_it.py", "bot/__pycache__/x.pyc")
MADE_BY_SETUP = (
    *("node_modules/.bin/osls", "node_modules/pyodide/package.json"),
    *("build/dependencies.stamp", "build/model.tar.gz"),
)
HOUR = 3600


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `osls package` wrote for a stage, `test`, whose alarms are mailed."""
    return packaged(tmp_path_factory, "--stage", "test", f"--param={MAILED}")


@pytest.fixture(scope="session")
def archive(package: Path) -> Iterator[zipfile.ZipFile]:
    """What is uploaded for the functions."""
    with zipfile.ZipFile(package / "tweet-escalator.zip") as archive:
        yield archive


@pytest.fixture(scope="session")
def template(package: Path) -> dict[str, Any]:
    """The stack that CloudFormation is asked for."""
    return template_of(package)


@pytest.fixture(scope="session")
def stack(template: dict[str, Any]) -> Stack:
    """That stack with the parameters it was packaged with."""
    return stack_of(template)


@pytest.fixture(scope="session")
def dev_stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack of the stage `dev`, which calls an endpoint that exists."""
    endpoint = "--param=SAGEMAKER_ENDPOINT=Customer-Support"
    return stack_of(template_of(packaged(tmp_path_factory, "--stage", "dev", endpoint)))


def template_of(folder: Path) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((folder / TEMPLATE).read_text("utf-8"))
    return template


def packaged(temporary: pytest.TempPathFactory, *options: str) -> Path:
    """What `osls package` writes with these options, made once for the same files.

    It takes seconds, so what is made is kept under its files' hash for later runs and for other
    workers; where two make it at once, the first to finish wins.
    """
    missing = [name for name in MADE_BY_SETUP if not (ROOT / name).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not here: run `make setup` first")
    made = ROOT / "build/packaged" / _key(options)
    if not made.exists():
        _forget_older(made.parent)
        part = made.with_name(f"{made.name}.{os.getpid()}")
        shutil.copytree(_package(temporary, options), part)
        try:
            part.rename(made)
        except OSError:
            shutil.rmtree(part)
    os.utime(made)  # in use, so nobody forgets it
    return made


def _key(options: tuple[str, ...]) -> str:
    sources = [ROOT / name for name in (*FILES, "package-lock.json", "tests/packaged.py")]
    for name in FOLDERS:
        sources += (path for path in sorted((ROOT / name).rglob("*")) if path.is_file())
    digest = hashlib.sha256(repr(options).encode())
    for source in sources:
        # What this machine compiled on the way is not packed.
        if source.suffix != ".pyc" or "dependencies" in source.parts:
            digest.update(f"\n{source.relative_to(ROOT)}\n".encode() + source.read_bytes())
    return digest.hexdigest()[:20]


def _forget_older(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - HOUR:
            shutil.rmtree(old, ignore_errors=True)


def _package(temporary: pytest.TempPathFactory, options: tuple[str, ...]) -> Path:
    """Packages a copy of the project, with a space in its name and what must not get in."""
    home, copy = temporary.mktemp("home"), temporary.mktemp("with a space")
    for name in FOLDERS:
        compiled = None if name == "build/dependencies" else shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=compiled)
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    for stray in STRAYS:
        (copy / stray).parent.mkdir(exist_ok=True)
        (copy / stray).touch()
    (copy / "node_modules").symlink_to(ROOT / "node_modules")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHON": sys.executable,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    commands: list[list[str]] = [
        ["sh", "aws/dependencies.sh"],
        [str(ROOT / "node_modules/.bin/osls"), "package", *options],
    ]
    for command in commands:
        run = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
    return copy / ".serverless"
