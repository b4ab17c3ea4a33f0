"""What a process loads, and so how long it takes to start."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.settings import HOUSE
from tests.standins import aws, x_events
from tests.test_settings import AWS, SLACK, X
from tests.test_wire import fixture
from tests.test_x_webhook import SECRET, delivery

LAMBDA = {**aws.CREDENTIALS, "AWS_REGION": aws.REGION, "AWS_DEFAULT_REGION": aws.REGION}


def imported(code: str, environment: Mapping[str, str]) -> set[str]:
    """The modules of a fresh process after this code."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        cwd=HOUSE,
        env={"PATH": os.environ["PATH"], **LAMBDA, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


HEAVY = {"boto3", "botocore.session", "fasttext", "slack_bolt", "slack_sdk", "tweepy", "yaml"}
HEAVY |= {
    "bot.local",
    "bot.slack",
    "bot.storage",
    "bot.storage.sqlite",
    "bot.twitter.client",
    "bot.web",
}
STORAGE = {"botocore.session", "bot.storage"}
ENDPOINT = {"SAGEMAKER_ENDPOINT": "slugify"}


Use = tuple[str, str, Mapping[str, str], set[str]]
USES: list[Use] = [
    ("tweet_api", "judging", {}, {"fasttext", "bot.web"}),
    ("tweet_api", "judging", ENDPOINT, {"botocore.session", "bot.web"}),
    ("x_webhook", "webhook", AWS, STORAGE | {"bot.web"}),
    ("x_poller", "poller", {**AWS, **X}, STORAGE | {"tweepy", "bot.twitter.client"}),
    ("triage", "desk store tweets workers", {**AWS, **ENDPOINT}, STORAGE),
    ("notify", "card_courier cards", {**AWS, **SLACK}, STORAGE | {"slack_sdk", "bot.slack"}),
    (
        "reply",
        "reply_courier replies",
        {**AWS, **X},
        STORAGE | {"tweepy", "bot.twitter.client"},
    ),
    (
        "slack",
        "slack_app",
        {**AWS, **SLACK},
        STORAGE | {"slack_bolt", "slack_sdk", "bot.slack", "bot.web"},
    ),
    (
        "slack_actions",
        "clerk actions",
        {**AWS, **SLACK, **ENDPOINT},
        STORAGE | {"slack_sdk", "bot.slack"},
    ),
    ("housekeeping", "store workers", AWS, STORAGE),
]
"""Each handler, the parts it asks for, settings, and what heavy things it loads then."""


@pytest.mark.parametrize(("handler", "uses", "environment", "loads"), USES)
def test_a_function_on_aws_loads_only_what_it_uses(
    handler: str, uses: str, environment: Mapping[str, str], loads: set[str]
) -> None:
    asked = ", ".join(f"own.{name}" for name in uses.split())
    code = f"import handlers.{handler}\nfrom bot.process import parts\nown = parts()\n{asked}"
    loaded = imported(code, {**environment, "AWS_LAMBDA_FUNCTION_NAME": handler})
    assert loaded & HEAVY == loads
    assert "aws_lambda_powertools" in loaded
    assert not loaded & {"aws_xray_sdk", "pydantic", "aws_lambda_powertools.event_handler"}


def test_the_webhook_takes_an_event_with_nothing_heavy(tmp_path: Path) -> None:
    body = json.dumps(fixture("mention")).encode()
    event = delivery(body, x_events.signed(SECRET, body))
    answer = f"handlers.x_webhook.handler({event!r}, None)"
    code = f"import handlers.x_webhook\nassert '\"queued\": 1' in {answer}['body']"
    loaded = imported(code, {"DATA_DIR": str(tmp_path), "X_CONSUMER_SECRET": SECRET})
    assert not loaded & {"botocore", "requests", "tweepy", "twitter_text", "fasttext"}


def test_a_laptop_without_keys_loads_nothing_of_aws_slack_or_tweepy(tmp_path: Path) -> None:
    code = (
        "import handlers.triage, handlers.housekeeping, handlers.x_webhook\n"
        "from bot.process import parts\n"
        "own = parts()\nown.desk, own.store, own.workers, own.webhook, own.card_courier\n"
        "own.agents, own.overview, own.queues, own.eraser"
    )
    loaded = imported(code, {"DATA_DIR": str(tmp_path)})
    assert not loaded & {"botocore", "slack_sdk", "slack_bolt", "tweepy"}
    assert "aws_lambda_powertools" not in loaded, "a laptop has none of it"
    assert loaded >= {"bot.storage.sqlite", "fasttext"}
