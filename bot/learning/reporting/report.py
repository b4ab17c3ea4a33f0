"""The report of an evaluation: one page that needs nothing but itself, and the same as JSON.

It holds posts of customers. What it is made of makes the same bytes each time.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.learning.reporting.page import html
from bot.learning.reporting.told import Report
from bot.local.keeping import keep


def record(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    told = asdict(report)
    if report.comparison:
        told["comparison"] |= {
            "better": report.comparison.better,
            "sentence": report.comparison.sentence,
        }
    return told


def write(report: Report, path: Path) -> Path:
    """Writes the page, and beside it the JSON, whose path it returns (`bot.local.keeping`)."""
    beside = path.with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    keep(path, html(report).encode("utf-8", "replace"))
    keep(beside, f"{json.dumps(record(report), indent=2)}\n".encode())
    return beside
