"""The core is plain Python on frozen data: it reaches the world only through its arguments."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import HOUSE

OUTSIDE = {"__main__", "process", "wiring"}
"""The files at the top of `bot` that may know everybody."""
CORE = {path.stem: path for path in (HOUSE / "bot").glob("*.py") if path.stem not in OUTSIDE}

LIBRARIES = {"emoji", "slugify"}
WORLDLY = {
    *("asyncio", "concurrent", "ctypes", "dotenv", "ftplib", "getpass", "glob", "http", "io"),
    *("multiprocessing", "os", "platform", "queue", "random", "secrets", "select", "shutil"),
    *("signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys"),
    *("tempfile", "threading", "time", "urllib", "uuid", "zoneinfo"),
}
"""What of the standard library reads a clock, a file, the environment, chance, or calls out."""
CLOCKS = {"now", "today", "utcnow"}
OPENERS = {"open", "input", "print", "exec", "eval", "__import__"}
FILES = {"read_bytes", "read_text", "write_bytes", "write_text", "iterdir", "exists", "stat"}


def impurities(source: str) -> Iterator[str]:
    """What in this source reaches out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if not pure(alias.name))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if node.level or not pure(name))
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            if called in CLOCKS | FILES | OPENERS and not asks_the_store(node.func):
                yield str(called)


def asks_the_store(called: ast.expr) -> bool:
    """Whether it is `CaseStore.open`, which opens nothing."""
    return ast.unparse(called).endswith("store.open")


def pure(name: str) -> bool:
    top, _, rest = name.partition(".")
    if top == "bot":
        return rest.partition(".")[0] in CORE
    return top in LIBRARIES or (top in sys.stdlib_module_names and top not in WORLDLY)


@pytest.mark.parametrize("path", CORE.values(), ids=CORE)
def test_no_file_of_the_core_reaches_out(path: Path) -> None:
    assert list(impurities(path.read_text("utf-8"))) == []


def test_the_core_is_where_it_is_looked_for() -> None:
    assert CORE.keys() >= {"tweets", "normalize", "verdicts", "explanation", "policy", "cases"}
    assert CORE.keys() >= {"triage", "delivery", "agents", "erasure"}


@pytest.mark.parametrize(
    "source",
    [
        "import boto3",
        "import os",
        "import os.path",
        "from os import environ",
        "from botocore.exceptions import ClientError",
        "from slack_sdk import WebClient",
        "import slack_bolt.adapter",
        "import tweepy",
        "import fasttext",
        "import requests",
        "from urllib.request import urlopen",
        "import time",
        "from uuid import uuid4",
        "import random",
        "from bot.storage.sqlite import Database",
        "from bot import wiring",
        "from bot.slack import cards",
        "from bot import storage",
        "from . import wiring",
        "def late():\n    import tweepy",
        "datetime.now(UTC)",
        "date.today()",
        "datetime.datetime.utcnow()",
        "Path('x').read_text()",
        "open('x')",
        "Path('x').open()",
        "print('x')",
    ],
)
def test_a_core_that_reached_out_would_be_seen(source: str) -> None:
    assert list(impurities(source))


@pytest.mark.parametrize(
    "source",
    [
        "import json",
        "from datetime import UTC, datetime",
        "from bot import cases",
        "import emoji",
        "self.store.open(9)",
    ],
)
def test_what_is_plain_python_is_let_through(source: str) -> None:
    assert not list(impurities(source))
