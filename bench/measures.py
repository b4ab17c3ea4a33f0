"""How a figure is taken, and its row in the table."""

import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from bot.settings import HOUSE

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table."""

    what: str
    figure: str
    aim: str
    detail: str

    def __str__(self) -> str:
        return f"| {self.what} | {self.figure} | {self.aim} | {self.detail} |"


def seconds(work: Any, *arguments: Any) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


def loading(code: str) -> float:
    """Seconds that this takes a fresh interpreter, its own start left out."""
    timed = f"import time; begun = time.perf_counter(); {code}; print(time.perf_counter() - begun)"
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", timed], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    return float(run.stdout)
