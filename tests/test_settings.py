import ast
import re
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from bot.errors import Misconfigured
from bot.local.serverless import WIRING, load
from bot.notices import Bursts
from bot.settings import HOUSE, AwsStorage, Settings, Slack, XKeys, read

AWS = {
    "CASES_TABLE": "cases",
    "TWEETS_QUEUE_URL": "https://sqs.example/tweets",
    "CARDS_QUEUE_URL": "https://sqs.example/cards",
    "REPLIES_QUEUE_URL": "https://sqs.example/replies",
    "ACTIONS_QUEUE_URL": "https://sqs.example/actions",
}
SLACK = {
    "SLACK_BOT_TOKEN": "xoxb-token",
    "SLACK_SIGNING_SECRET": "signing-secret",
    "SLACK_SUPPORT_CHANNEL": "C0SUPPORT",
}
X = {
    "X_CONSUMER_KEY": "consumer-key",
    "X_CONSUMER_SECRET": "consumer-secret",
    "X_ACCESS_TOKEN": "access-token",
    "X_ACCESS_TOKEN_SECRET": "access-secret",
}
DEFAULTS = Settings(
    classifier="embedded",
    sagemaker_endpoint=None,
    normalizer="plain",
    model_path=HOUSE / "build/model.tar.gz",
    threshold=None,
    unsure_margin=0.15,
    hold=timedelta(minutes=15),
    retention=timedelta(days=90),
    rules_path=HOUSE / "rules.toml",
    replies_path=HOUSE / "replies.toml",
    data_dir=HOUSE / ".data",
    aws=None,
    slack=None,
    slack_awaited=False,
    slack_app_token=None,
    slack_admins=frozenset(),
    slack_api_url="https://slack.com/api/",
    slack_pace=1,
    claim_reminder=timedelta(minutes=15),
    bursts=Bursts(10, timedelta(minutes=5)),
    digest_hour=9,
    x_consumer_secret=None,
    x_keys=None,
    x_bearer_token=None,
    x_user_id=None,
    x_api_url="https://api.x.com",
    auto_reply="dry-run",
    reply_max_age=timedelta(hours=6),
    replies_per_author_per_day=2,
    allow_links=False,
    x_monthly_read_budget=None,
    x_monthly_budget_usd=None,
    deletion_check=timedelta(days=90),
    api_password=None,
    port=8000,
)


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(Misconfigured) as refused:
        read(environment)
    return refused.value.problems


def test_nothing_needs_to_be_set() -> None:
    assert read({}) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("SAGEMAKER_ENDPOINT", "customer-support-slugify", "classifier", "sagemaker"),
        ("SAGEMAKER_ENDPOINT", "slugify", "sagemaker_endpoint", "slugify"),
        ("NORMALIZER", "emoji-1", "normalizer", "emoji-1"),
        ("MODEL_PATH", "/models/model.tar.gz", "model_path", Path("/models/model.tar.gz")),
        ("MODEL_PATH", "other.tar.gz", "model_path", HOUSE / "other.tar.gz"),
        ("ESCALATION_THRESHOLD", "0", "threshold", 0.0),
        ("ESCALATION_THRESHOLD", "0.7", "threshold", 0.7),
        ("UNSURE_MARGIN", "0", "unsure_margin", 0.0),
        ("HOLD_MINUTES", "0", "hold", timedelta()),
        ("REPLY_MAX_AGE", "0.5", "reply_max_age", timedelta(minutes=30)),
        ("REPLIES_PER_AUTHOR_PER_DAY", "0", "replies_per_author_per_day", 0),
        ("ALLOW_LINKS", "1", "allow_links", True),
        ("X_BEARER_TOKEN", "bearer", "x_bearer_token", "bearer"),
        ("X_MONTHLY_READ_BUDGET", "5000", "x_monthly_read_budget", 5000),
        ("X_MONTHLY_BUDGET_USD", "12.5", "x_monthly_budget_usd", 12.5),
        ("DELETION_CHECK_DAYS", "7", "deletion_check", timedelta(days=7)),
        ("HOLD_MINUTES", "1.5", "hold", timedelta(seconds=90)),
        ("RETENTION_DAYS", "30", "retention", timedelta(days=30)),
        ("RULES_PATH", "own.toml", "rules_path", HOUSE / "own.toml"),
        ("REPLIES_PATH", "own.toml", "replies_path", HOUSE / "own.toml"),
        ("DATA_DIR", "~/tweets", "data_dir", Path("~/tweets").expanduser()),
        ("SLACK_API_URL", "http://127.0.0.1:1/api/", "slack_api_url", "http://127.0.0.1:1/api/"),
        ("SLACK_ADMINS", "U012AB3CD, W9Z,", "slack_admins", frozenset({"U012AB3CD", "W9Z"})),
        ("SLACK_PACE", "0", "slack_pace", 0.0),
        ("SLACK_PACE", "1.2", "slack_pace", 1.2),
        ("CLAIM_REMINDER", "0", "claim_reminder", timedelta()),
        ("CLAIM_REMINDER", "7.5", "claim_reminder", timedelta(seconds=450)),
        ("BURST_CARDS", "0", "bursts", Bursts(0, timedelta(minutes=5))),
        ("BURST_CARDS", "25", "bursts", Bursts(25, timedelta(minutes=5))),
        ("BURST_MINUTES", "1", "bursts", Bursts(10, timedelta(minutes=1))),
        ("DIGEST_HOUR", "0", "digest_hour", 0),
        ("DIGEST_HOUR", "23", "digest_hour", 23),
        ("DIGEST_HOUR", "off", "digest_hour", None),
        ("X_CONSUMER_SECRET", "consumer-secret", "x_consumer_secret", "consumer-secret"),
        ("X_USER_ID", "2244994945", "x_user_id", "2244994945"),
        ("X_API_URL", "http://127.0.0.1:1/", "x_api_url", "http://127.0.0.1:1"),
        ("AUTO_REPLY", "off", "auto_reply", "off"),
        ("API_PASSWORD", " open sesame\n", "api_password", "open sesame"),
        ("PORT", "0", "port", 0),
    ],
)
def test_each_name_sets_what_it_says(name: str, value: str, field: str, expected: object) -> None:
    assert getattr(read({name: value}), field) == expected


def test_each_group_is_read_as_a_whole() -> None:
    whole = read({**AWS, **SLACK, **X, "SLACK_APP_TOKEN": "xapp-token"})
    assert whole == replace(
        DEFAULTS,
        aws=AwsStorage(*AWS.values()),
        slack=Slack(*SLACK.values()),
        slack_awaited=True,
        slack_app_token="xapp-token",
        x_consumer_secret="consumer-secret",
        x_keys=XKeys(*X.values()),
        auto_reply="on",
    )
    assert whole.aws
    names = ("tweets", "cards", "replies", "actions")
    assert [whole.aws.queue_url(name).rpartition("/")[2] for name in names] == list(names)


@pytest.mark.parametrize("group", [AWS, SLACK, X], ids=["AWS", "Slack", "X"])
def test_a_group_with_some_of_its_names_missing_is_refused_and_all_are_told(
    group: dict[str, str],
) -> None:
    for size in range(1, len(group)):
        for given in combinations(group, size):
            if given == ("X_CONSUMER_SECRET",):
                continue
            missing = [name for name in group if name not in given]
            expected = f"{', '.join(given)} set but {', '.join(missing)} missing: set all or none."
            assert problems({name: group[name] for name in given}) == [expected]


@pytest.mark.parametrize(
    ("group", "held_in"), [(SLACK, "SLACK_SECRET_ID"), (X, "X_SECRET_ID")], ids=["Slack", "X"]
)
def test_a_group_of_which_a_secret_holds_some_waits_for_the_others(
    group: dict[str, str], held_in: str
) -> None:
    for name, value in group.items():
        chosen = read({**AWS, held_in: "arn", name: value})
        assert (chosen.slack, chosen.x_keys) == (None, None)
        told = [f"{name} set but {', '.join(one for one in group if one != name)} missing"]
        complete = name == "X_CONSUMER_SECRET"  # for the webhook
        assert [s.partition(" in the secret")[0] for s in chosen.half_filled] == (
            [] if complete else told
        )


def test_the_consumer_secret_alone_is_enough_for_the_webhook() -> None:
    alone = read({"X_CONSUMER_SECRET": "consumer-secret"})
    assert (alone.x_consumer_secret, alone.x_keys) == ("consumer-secret", None)


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_value_counts_as_absent(empty: str) -> None:
    assert read(dict.fromkeys(SETTABLE, empty)) == DEFAULTS
    assert problems({**SLACK, "SLACK_BOT_TOKEN": empty}) == [
        (
            "SLACK_SIGNING_SECRET, SLACK_SUPPORT_CHANNEL set but SLACK_BOT_TOKEN missing: "
            "set all or none."
        )
    ]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, "dry-run"), (X, "on"), (AWS, "on"), ({"X_CONSUMER_SECRET": "s"}, "dry-run")],
    ids=["a laptop", "X keys", "AWS, where the keys come later", "the webhook alone"],
)
def test_answers_are_sent_by_default_where_they_can_be(
    environment: dict[str, str], expected: str
) -> None:
    assert read(environment).auto_reply == expected


@pytest.mark.parametrize("value", ["on", "dry-run", "off"])
def test_auto_reply_says_so_where_it_is_set(value: str) -> None:
    assert read({**X, "AUTO_REPLY": value}).auto_reply == value


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"CLASSIFIER": "sagemaker"},
            (
                "CLASSIFIER is sagemaker but SAGEMAKER_ENDPOINT is not set: name the endpoint, or "
                "set CLASSIFIER to embedded."
            ),
        ),
        ({"CLASSIFIER": "gpt"}, "CLASSIFIER must be embedded or sagemaker, not «gpt»."),
        ({"NORMALIZER": "emoji"}, "NORMALIZER must be plain or emoji-1, not «emoji»."),
        (
            {"ESCALATION_THRESHOLD": "70%"},
            "ESCALATION_THRESHOLD must be a number from 0 to 1, not «70%».",
        ),
        (
            {"ESCALATION_THRESHOLD": "nan"},
            "ESCALATION_THRESHOLD must be a number from 0 to 1, not «nan».",
        ),
        ({"UNSURE_MARGIN": "1.1"}, "UNSURE_MARGIN must be a number from 0 to 1, not «1.1»."),
        ({"HOLD_MINUTES": "-1"}, "HOLD_MINUTES must be a number from 0 to 25, not «-1»."),
        ({"RETENTION_DAYS": "0"}, "RETENTION_DAYS must be a number from 1 to 3650, not «0»."),
        ({"PORT": "70000"}, "PORT must be a number from 0 to 65535, not «70000»."),
        (
            {"SLACK_API_URL": "slack.com"},
            "SLACK_API_URL must start with https:// or http://, not «slack.com».",
        ),
        (
            {"X_API_URL": "ftp://x.com"},
            "X_API_URL must start with https:// or http://, not «ftp://x.com».",
        ),
        ({"AUTO_REPLY": "yes"}, "AUTO_REPLY must be on or dry-run or off, not «yes»."),
        (
            {"SLACK_ADMINS": "U012AB3CD, @mira"},
            (
                "SLACK_ADMINS must be Slack's ids of users with commas between, such as "
                "U012AB3CD, not «@mira»: a profile's menu copies its member id."
            ),
        ),
        ({"SLACK_PACE": "-1"}, "SLACK_PACE must be a number from 0 to 60, not «-1»."),
        (
            {"CLAIM_REMINDER": "soon"},
            "CLAIM_REMINDER must be a number from 0 to 10080, not «soon».",
        ),
        ({"BURST_CARDS": "2.5"}, "BURST_CARDS must be a whole number, not «2.5»."),
        ({"BURST_MINUTES": "0"}, "BURST_MINUTES must be a number from 1 to 1440, not «0»."),
        *(
            (
                {"DIGEST_HOUR": hour},
                f"DIGEST_HOUR must be an hour of the day from 0 to 23, or off, not «{hour}».",
            )
            for hour in ("24", "-1", "9:00", "never")
        ),
        (
            {"AUTO_REPLY": "on"},
            (
                "AUTO_REPLY is on but the X keys are not set: set X_CONSUMER_KEY, "
                "X_CONSUMER_SECRET, X_ACCESS_TOKEN and X_ACCESS_TOKEN_SECRET, or use dry-run."
            ),
        ),
        (
            {"SLACK_APP_TOKEN": "xapp-token"},
            (
                "SLACK_APP_TOKEN is set but Slack's other keys are not: set SLACK_BOT_TOKEN, "
                "SLACK_SIGNING_SECRET and SLACK_SUPPORT_CHANNEL too."
            ),
        ),
    ],
)
def test_a_problem_is_one_sentence_that_says_what_to_do(
    environment: dict[str, str], sentence: str
) -> None:
    assert problems(environment) == [sentence]


def test_every_problem_is_told_at_once() -> None:
    found = problems(
        {
            "CLASSIFIER": "gpt",
            "HOLD_MINUTES": "soon",
            "CASES_TABLE": "cases",
            "SLACK_BOT_TOKEN": "xoxb-token",
            "X_ACCESS_TOKEN": "access-token",
            "X_API_URL": "x.com",
            "PORT": "http",
        }
    )
    starts = {problem.split()[0].rstrip(",") for problem in found}
    assert starts == {
        *("CLASSIFIER", "HOLD_MINUTES", "CASES_TABLE", "SLACK_BOT_TOKEN", "X_ACCESS_TOKEN"),
        *("X_API_URL", "PORT"),
    }
    assert len(found) == len(starts)


def test_no_problem_repeats_a_secret() -> None:
    secrets = {**SLACK, **X, "SLACK_APP_TOKEN": "xapp-token", "API_PASSWORD": "open sesame"}
    for name, value in secrets.items():
        told = " ".join(problems({name: value, "PORT": "http"}))
        assert not [secret for secret in secrets.values() if secret in told]


def settable() -> set[str]:
    """The names that the module asks the environment for."""
    tree = ast.parse((HOUSE / "bot/settings.py").read_text("utf-8"))
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {
        one for one in strings if isinstance(one, str) and re.fullmatch(r"[A-Z]+(_[A-Z]+)*", one)
    }


SETTABLE = settable()


def test_the_page_of_settings_lists_every_name_and_no_other() -> None:
    page = (HOUSE / "docs" / "settings.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(listed) == len(set(listed))
    # boto3 reads its address by itself.
    assert set(listed) == SETTABLE | {"AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"}


def test_the_example_of_an_environment_names_nothing_unknown_and_sets_nothing() -> None:
    lines = (HOUSE / ".env.example").read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert given.keys() <= SETTABLE
    assert read(given) == DEFAULTS


def test_a_deployment_sets_nothing_unknown() -> None:
    provider = load(WIRING)["provider"]
    of_libraries = {"PYTHONPATH", "AWS_DATA_PATH"}
    of_libraries |= {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
    assert provider["environment"].keys() - of_libraries <= SETTABLE
