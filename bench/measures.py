"""How a figure is taken, and its row in the table."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
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


def fullest(pid: int) -> float:
    """Megabytes a process has held at most; unlike rusage, without what held it before exec."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0
