"""`serverless.yml` as the laptop reads it: functions, routes, queues and schedules."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from bot.frozen import frozen
from bot.settings import HOUSE

WIRING: Final = HOUSE / "serverless.yml"
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86400}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags."""


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


def load(path: Path) -> dict[str, Any]:
    """The file with `!Ref X` as `{"Ref": "X"}` and `!GetAtt X.Arn` as `{"Fn::GetAtt": [...]}`."""
    with path.open(encoding="utf-8") as file:
        content: dict[str, Any] = yaml.load(file, _Loader)  # noqa: S506  a SafeLoader
    return content


@frozen
class Trigger:
    """A queue that feeds a function; `window` is how many seconds a batch may fill."""

    queue: str
    batch_size: int
    window: float


@frozen
class Function:
    """A function as it is wired; `every` is its schedule in seconds."""

    name: str
    handler: str
    timeout: float
    environment: dict[str, str]
    routes: tuple[str, ...]
    triggers: tuple[Trigger, ...]
    every: float | None


@frozen
class QueueProperties:
    """What a queue promises; `visibility` in seconds."""

    fifo: bool
    visibility: float
    max_receives: int


@cache
def _content() -> dict[str, Any]:
    return load(WIRING)


def service() -> str:
    """What all names on AWS begin with."""
    return str(_content()["service"])


def functions() -> list[Function]:
    """All functions."""
    return [_function(name, entry) for name, entry in _content()["functions"].items()]


def _function(name: str, entry: dict[str, Any]) -> Function:
    events = entry["events"]
    schedules = [_seconds(event["schedule"]) for event in events if "schedule" in event]
    return Function(
        name=name,
        handler=entry["handler"],
        timeout=float(entry["timeout"]),
        # References name what only AWS has; here the laptop's own parts stand in.
        environment={k: str(v) for k, v in entry.get("environment", {}).items() if _literal(v)},
        routes=tuple(event["httpApi"] for event in events if "httpApi" in event),
        triggers=tuple(_triggers(events)),
        every=min(schedules, default=None),
    )


def _triggers(events: list[dict[str, Any]]) -> Iterator[Trigger]:
    for event in events:
        if "sqs" in event:
            source = event["sqs"]
            logical_id = source["arn"]["Fn::GetAtt"][0]
            yield Trigger(
                queue=logical_id.removesuffix("Queue").lower(),
                batch_size=source.get("batchSize", 10),
                window=float(source.get("maximumBatchingWindow", 0)),
            )


def _literal(value: object) -> bool:
    return not isinstance(value, dict)


def _seconds(schedule: str) -> float:
    match = _RATE.fullmatch(schedule)
    if match is None:
        raise ValueError(f"serverless.yml: the schedule «{schedule}» is no rate(N minutes).")
    return float(match[1]) * _UNITS[match[2]]


def queue_properties(name: str) -> QueueProperties:
    """The properties of the queue called `tweets`, `cards`, `replies` or `actions`."""
    resource = _content()["resources"]["Resources"][f"{name.capitalize()}Queue"]
    properties = resource["Properties"]
    return QueueProperties(
        fifo=bool(properties.get("FifoQueue", False)),
        visibility=float(properties["VisibilityTimeout"]),
        max_receives=int(properties["RedrivePolicy"]["maxReceiveCount"]),
    )
