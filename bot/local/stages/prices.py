"""What a stage costs: AWS's list prices, what our functions use, and the sums, line by line.

Prices are those of US East (N. Virginia) on arm64, in dollars, without tax, free tier or discount.
What one tweet uses was counted once in the bot at work against moto's server, one tweet at a time;
what a call takes is an estimate, most of it the neighbour's answer. X's prices are the ledger's.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import Any, Final

from bot.errors import Refused
from bot.frozen import frozen
from bot.local.stages.inventory import Template, resolved, resources
from bot.twitter.ledger import DOLLAR, PRICES, Action

HOURS: Final = 730
"""Hours of a month, as AWS's price pages count."""
MINUTES: Final = HOURS * 60
MILLION: Final = 1_000_000


@frozen
class Price:
    """A list price in dollars for `per` units; `seen` is when a copy of `page` said so.

    An empty `seen`: no dated copy could be looked up, and the figure is what it was known to be.
    """

    usd: float
    per: float
    unit: str
    page: str
    seen: str = ""

    def of(self, amount: float) -> float:
        """Dollars for so many units."""
        return amount * self.usd / self.per

    @property
    def told(self) -> str:
        """The price as people read it."""
        per = "" if self.per == 1 else f"{self.per:,.0f} "
        return f"${self.usd:.10f}".rstrip("0").rstrip(".") + f" / {per}{self.unit}"


CALL: Final = Price(0.20, MILLION, "calls", "AWS Lambda pricing", "2024")
COMPUTE: Final = Price(0.0000133334, 1, "GB-second", "AWS Lambda pricing", "2024")
WEB: Final = Price(1.00, MILLION, "requests", "Amazon API Gateway pricing", "2025-05")
STANDARD: Final = Price(0.40, MILLION, "requests", "Amazon SQS pricing", "2026-06")
FIFO: Final = Price(0.50, MILLION, "requests", "Amazon SQS pricing", "2026-06")
WRITE: Final = Price(0.625, MILLION, "write units", "Amazon DynamoDB pricing", "2025-07")
READ: Final = Price(0.125, MILLION, "read units", "Amazon DynamoDB pricing", "2025-07")
STORED: Final = Price(0.25, 1, "GB-month", "Amazon DynamoDB pricing")
RECOVERABLE: Final = Price(0.20, 1, "GB-month", "Amazon DynamoDB pricing")
LOGGED: Final = Price(0.50, 1, "GB", "Amazon CloudWatch pricing", "2026-06")
LOGS_KEPT: Final = Price(0.03, 1, "GB-month", "Amazon CloudWatch pricing", "2026-06")
METRIC: Final = Price(0.30, 1, "metric a month", "Amazon CloudWatch pricing", "2026-02")
ALARM: Final = Price(0.10, 1, "alarm a month", "Amazon CloudWatch pricing")
SECRET: Final = Price(0.40, 1, "secret a month", "AWS Secrets Manager pricing")
SECRET_READ: Final = Price(0.05, 10_000, "calls", "AWS Secrets Manager pricing")
SCHEDULED: Final = Price(0, MILLION, "runs", "Amazon EventBridge pricing")
MAILED: Final = Price(2.00, 100_000, "mails", "Amazon SNS pricing", "2026-06")
RELEASES: Final = Price(0.023, 1, "GB-month", "Amazon S3 pricing")
SENT_OUT: Final = Price(0.09, 1, "GB", "Amazon EC2 pricing, data transfer", "2025-05")
INSTANCES: Final[Mapping[str, Price]] = {
    name: Price(usd, 1, "hour", "Amazon SageMaker AI pricing, real-time inference")
    for name, usd in {
        "ml.t2.medium": 0.056,
        "ml.m5.large": 0.115,
        "ml.m5.xlarge": 0.23,
        "ml.c5.large": 0.102,
        "ml.c5.xlarge": 0.204,
    }.items()
}
"""An endpoint's instance, by its type."""

AWS_PRICES: Final[Mapping[str, Price]] = {
    "a function's call": CALL,
    "a function's time": COMPUTE,
    "HTTP API": WEB,
    "standard queues": STANDARD,
    "FIFO queues": FIFO,
    "table, written": WRITE,
    "table, read": READ,
    "table, stored": STORED,
    "table, recoverable to any moment": RECOVERABLE,
    "logs, written": LOGGED,
    "logs, kept": LOGS_KEPT,
    "own metrics": METRIC,
    "alarms": ALARM,
    "secrets": SECRET,
    "secrets, read": SECRET_READ,
    "schedules": SCHEDULED,
    "alarms' mails": MAILED,
    "releases kept": RELEASES,
    "data sent to X and Slack": SENT_OUT,
    **{f"endpoint on {name}": price for name, price in INSTANCES.items()},
}


@frozen
class Use:
    """What something uses: calls by function, requests by kind, the table's units, bytes sent."""

    calls: Mapping[str, float]
    web: float = 0
    standard: float = 0
    fifo: float = 0
    writes: float = 0
    reads: float = 0
    sent: float = 0

    def times(self, number: float) -> "Use":
        """The same so many times."""
        return Use(
            {name: calls * number for name, calls in self.calls.items()},
            *(
                amount * number
                for amount in (
                    *(self.web, self.standard, self.fifo),
                    *(self.writes, self.reads, self.sent),
                )
            ),
        )


# Counted in November 2026: requests by their kind, write units by the sizes of items and the
# entries of the three indexes that came and went. A message is sent, received and deleted.
RECEIVED: Final = Use({"xWebhook": 1, "triage": 1}, web=1, standard=3)
"""Any tweet, on its way to a decision."""
SKIPPED: Final = Use({}, writes=6, reads=8)
ANSWERED: Final = Use({"reply": 1}, fifo=3, writes=17, reads=18, sent=3_000)
ESCALATED: Final = Use({"notify": 1}, fifo=3, writes=18, reads=12, sent=10_000)
HANDLED: Final = Use(
    {"slack": 2, "slackActions": 2, "notify": 4},
    web=2, standard=6, fifo=12, writes=63, reads=21, sent=30_000,
)  # fmt: skip
"""A card that is claimed and resolved: two clicks, and what they change in Slack."""
MINUTE: Final = Use({"xPoller": 1, "housekeeping": 1}, writes=4, reads=12, sent=1_500)
"""What runs every minute, with nothing to do."""

SECONDS: Final[Mapping[str, float]] = {
    "tweetApi": 0.05, "xWebhook": 0.05, "xPoller": 0.5, "triage": 0.1, "notify": 0.4, "reply": 0.5,
    "slack": 0.1, "slackActions": 0.3, "housekeeping": 0.1,
}  # fmt: skip
"""How long a call of each function takes, billed cold starts spread over all."""
LOG_BYTES: Final = 1_500
"""Of a call: Lambda's own three lines, ours, and the metrics in it."""
CASE_BYTES: Final = 2_600
"""Of a stored case and its entries in the indexes."""
KEPT_MONTHS: Final = 3
"""RETENTION_DAYS, as it is unless set."""
CHECKED_DAYS: Final = 90
"""DELETION_CHECK_DAYS, as it is unless set."""
OWN_METRICS: Final = 13
"""`docs/aws.md`, "Logs and metrics": paid for the hours in which they have figures."""
POLLS: Final = 5 * 60 / 20
"""Requests a minute to an idle queue: five pollers, each waiting 20 s (AWS Lambda developer guide,
"Configuring scaling behavior for SQS event source mappings"). Fewer pollers, as with low traffic,
are promised to mappings without a maximum concurrency only; counted is the most."""
SECRET_READS: Final = MINUTES / 5
"""Of a function that is always warm, a month (`bot.process.SECRETS_READ_AGAIN`)."""
RELEASE_GB: Final = 5 * 0.01
"""Five releases are kept; most of each is the model."""

ESCALATED_SHARE: Final = 0.10
ANSWERED_SHARE: Final = 0.60


@frozen
class Stack:
    """What is paid for of a stack: gigabytes by function, and numbers of the rest.

    `instance` is the type of the endpoint that the stack makes.
    """

    memory: Mapping[str, float]
    standard: int
    fifo: int
    secrets: int
    alarms: int
    instance: str | None = None


@frozen
class Line:
    """One line of a bill, in dollars."""

    what: str
    how: str
    usd: float


def stack_of(template: Template) -> Stack:
    """What is paid for of the packaged template."""
    made = resources(template)

    def of(kind: str) -> list[Mapping[str, Any]]:
        return [body.get("Properties", {}) for body in made.values() if body["Type"] == kind]

    sources = [one["EventSourceArn"] for one in of("AWS::Lambda::EventSourceMapping")]
    queues = [made[source["Fn::GetAtt"][0]]["Properties"] for source in sources]
    fifo = sum(bool(queue.get("FifoQueue")) for queue in queues)
    variants = [one["ProductionVariants"][0] for one in of("AWS::SageMaker::EndpointConfig")]
    return Stack(
        memory={
            one["FunctionName"].rpartition("-")[2]: one["MemorySize"] / 1024
            for one in of("AWS::Lambda::Function")
        },
        standard=len(queues) - fifo,
        fifo=fifo,
        secrets=len(of("AWS::SecretsManager::Secret")),
        alarms=len(of("AWS::CloudWatch::Alarm")),
        instance=resolved(variants[0]["InstanceType"], template) if variants else None,
    )


def idle(stack: Stack) -> list[Line]:
    """A month in which nothing comes in."""
    polls = POLLS * MINUTES
    lines = [
        *_used(stack, MINUTE.times(MINUTES)),
        _line("standard queues, polled", stack.standard * polls, STANDARD),
        _line("FIFO queues, polled", stack.fifo * polls, FIFO),
        _line("alarms", stack.alarms, ALARM),
        _line("secrets", stack.secrets, SECRET),
        _line("secrets, read", SECRET_READS, SECRET_READ),
        _line("schedules", 2 * MINUTES, SCHEDULED),
        _line("releases kept", RELEASE_GB, RELEASES),
    ]
    if stack.instance:
        lines.append(_endpoint(stack.instance))
    return lines


def per_million(
    stack: Stack, escalated: float = ESCALATED_SHARE, answered: float = ANSWERED_SHARE
) -> list[Line]:
    """A million tweets that came by the webhook, on top of an idle month.

    The shares are of those that get a card, each claimed and resolved, and of those that the bot
    answers in public; the rest is skipped.
    """
    if not 0 <= escalated <= escalated + answered <= 1:
        raise Refused("The shares of tweets that are escalated and answered must fit into one.")
    use = [
        RECEIVED,
        ESCALATED.times(escalated),
        HANDLED.times(escalated),
        ANSWERED.times(answered),
        SKIPPED.times(1 - escalated - answered),
    ]
    gigabytes = CASE_BYTES * MILLION / 1e9
    return [
        *_used(stack, _together(one.times(MILLION) for one in use)),
        _line("table, stored", gigabytes * KEPT_MONTHS, STORED),
        _line("table, recoverable to any moment", gigabytes * KEPT_MONTHS, RECOVERABLE),
        _line("own metrics", OWN_METRICS, METRIC),
        _line("secrets, read", 4 * SECRET_READS, SECRET_READ),
    ]


def x_per_million(*, polled: bool, answered: float = ANSWERED_SHARE) -> list[Line]:
    """What X takes for a million tweets, told by its webhook or `polled`."""
    found: list[tuple[str, Action, float]] = [("answers sent", "reply", answered * MILLION)]
    if polled:
        checks = answered * MILLION * CHECKED_DAYS
        found.insert(0, ("mentions read", "mention", MILLION))
        found.append((f"answered posts looked up on each of {CHECKED_DAYS} days", "lookup", checks))
    return [
        Line(
            f"X: {what}",
            f"{number:,.0f} × ${PRICES[action] / DOLLAR:g}",
            number * PRICES[action] / DOLLAR,
        )
        for what, action, number in found
    ]


def total(lines: Iterable[Line]) -> float:
    """Dollars."""
    return fsum(line.usd for line in lines)


def table(lines: Sequence[Line]) -> str:
    """The lines for a terminal, and their sum."""
    rows = [*lines, Line("all", "", total(lines))]
    what, how = (max(len(getattr(row, name)) for row in rows) for name in ("what", "how"))
    return "\n".join(
        f"  {row.what:<{what}}  {row.how:<{how}}  {row.usd:>12,.2f}".rstrip() for row in rows
    )


def markdown(template: Template) -> str:
    """The tables of `docs/aws.md`, "Costs", for the packaged template."""
    stack = stack_of(template)
    parts = (
        ("A month in which nothing comes in", idle(stack)),
        ("A million tweets, on top of that", per_million(stack)),
        ("X's share of a million tweets told by its webhook", x_per_million(polled=False)),
        ("X's share of a million tweets read by polling", x_per_million(polled=True)),
    )
    tables = [_markdown(title, ("how", "$"), _rows(lines)) for title, lines in parts]
    prices = [(name, (one.told, one.page, one.seen or "not")) for name, one in AWS_PRICES.items()]
    tables.append(_markdown("AWS's list price of", ("price", "page", "seen"), prices))
    return "\n\n".join(tables)


def _rows(lines: Sequence[Line]) -> list[tuple[str, tuple[str, ...]]]:
    rows = [(line.what, (line.how, f"{line.usd:,.2f}")) for line in lines]
    return [*rows, ("**all**", ("", f"**{total(lines):,.2f}**"))]


def _markdown(
    title: str, columns: Sequence[str], rows: Sequence[tuple[str, tuple[str, ...]]]
) -> str:
    right = "--:" if columns[-1] == "$" else "---"
    head = [f"| {title} | {' | '.join(columns)} |", "|---" * len(columns) + f"|{right}|"]
    return "\n".join(head + [f"| {what} | {' | '.join(cells)} |" for what, cells in rows])


def _used(stack: Stack, use: Use) -> list[Line]:
    calls = fsum(use.calls.values())
    gigabytes = calls * LOG_BYTES / 1e9
    lines = [
        _line("functions, called", calls, CALL),
        *(
            _line(f"{name}, {SECONDS[name]:g} s each", _seconds(stack, name, number), COMPUTE)
            for name, number in use.calls.items()
        ),
        _line("HTTP API", use.web, WEB),
        _line("standard queues", use.standard, STANDARD),
        _line("FIFO queues", use.fifo, FIFO),
        _line("table, written", use.writes, WRITE),
        _line("table, read", use.reads, READ),
        _line("logs, written", gigabytes, LOGGED),
        _line("logs, kept for a month", gigabytes, LOGS_KEPT),
        _line("data sent to X and Slack", use.sent / 1e9, SENT_OUT),
    ]
    return [line for line in lines if line.usd]


def _seconds(stack: Stack, name: str, calls: float) -> float:
    return calls * SECONDS[name] * stack.memory[name]


def _together(uses: Iterable[Use]) -> Use:
    every = list(uses)
    names = dict.fromkeys(name for one in every for name in one.calls)
    return Use(
        {name: fsum(one.calls.get(name, 0) for one in every) for name in names},
        web=fsum(one.web for one in every),
        standard=fsum(one.standard for one in every),
        fifo=fsum(one.fifo for one in every),
        writes=fsum(one.writes for one in every),
        reads=fsum(one.reads for one in every),
        sent=fsum(one.sent for one in every),
    )


def _line(what: str, amount: float, price: Price) -> Line:
    shown = f"{amount:,.0f}" if amount >= 10 else f"{amount:.2g}"  # noqa: PLR2004
    return Line(what, f"{shown} × {price.told}", price.of(amount))


def _endpoint(instance: str) -> Line:
    what = f"SageMaker endpoint on {instance}"
    price = INSTANCES.get(instance)
    if price is None:
        return Line(what, "its price is not known here: see Amazon SageMaker AI pricing", 0)
    return _line(what, HOURS, price)
