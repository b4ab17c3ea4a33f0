import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.batches import FIRST_WAIT, LONGEST_WAIT
from bot.local.serverless import load
from tests.packaged import ROOT, TEMPLATE
from tests.stacks import Stack

CONFIG = load(ROOT / "serverless.yml")
FUNCTIONS = CONFIG["functions"]
QUEUES = ("TweetsQueue", "CardsQueue", "RepliesQueue", "ActionsQueue")
FIFO = {"CardsQueue", "RepliesQueue"}
CONSUMERS = {
    "TweetsQueue": "triage",
    "CardsQueue": "notify",
    "RepliesQueue": "reply",
    "ActionsQueue": "slackActions",
}

ROUTES = {
    "GET /": "tweetApi",
    "GET /health": "tweetApi",
    "GET /tweet": "tweetApi",
    "GET /tweet/{tweet}": "tweetApi",
    "POST /classify": "tweetApi",
    "GET /x/webhook": "xWebhook",
    "POST /x/webhook": "xWebhook",
    "POST /slack/events": "slack",
}


def _walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key and every leaf, each with where it stands."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield path, key
            yield from _walk(child, f"{path}.{key}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _walk(child, f"{path}[{number}]")
    else:
        yield path, value


def _named(stack: Stack, name: str) -> dict[str, Any]:
    """The properties of a function."""
    functions = stack.of_type("AWS::Lambda::Function")
    return next(body for body in functions.values() if body["FunctionName"].endswith(f"-{name}"))


def _sources(stack: Stack) -> dict[str, dict[str, Any]]:
    """What feeds functions from queues, by queue."""
    sources = stack.of_type("AWS::Lambda::EventSourceMapping").values()
    return {source["EventSourceArn"]["Fn::GetAtt"][0]: source for source in sources}


# ── What the laptop reads ──


def test_what_the_laptop_reads_holds_no_variable_and_no_condition() -> None:
    resources = CONFIG["resources"]["Resources"]
    read_by_the_laptop = {"functions": FUNCTIONS, **{name: resources[name] for name in QUEUES}}
    for path, value in _walk(read_by_the_laptop):
        assert "${" not in str(value), path
        assert value not in {"Fn::If", "Fn::Sub", "Condition"}, path


def test_all_nine_functions_are_wired_and_each_to_the_handler_of_its_name() -> None:
    assert len(FUNCTIONS) == 9
    snake = {name: re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name) for name in FUNCTIONS}
    wired = {name: function["handler"] for name, function in FUNCTIONS.items()}
    assert wired == {name: f"handlers.{snake[name]}.handler" for name in FUNCTIONS}


def test_what_another_file_holds_of_the_stack_is_taken_whole() -> None:
    taken = {
        name: body
        for name, body in CONFIG["resources"]["Resources"].items()
        if isinstance(body, str)
    }
    for file in ("alarms", "endpoint", "roles"):
        for name in load(ROOT / "aws" / f"{file}.yml"):
            assert taken.pop(name) == f"${{file(aws/{file}.yml):{name}}}"
    assert not taken


# ── The stack as it is packaged: functions ──


def test_every_function_runs_on_arm64_and_writes_into_a_log_of_its_own(stack: Stack) -> None:
    groups = {
        group["LogGroupName"]: group["RetentionInDays"]
        for group in stack.of_type("AWS::Logs::LogGroup").values()
    }
    functions = stack.of_type("AWS::Lambda::Function").values()
    assert groups == {f"/aws/lambda/{body['FunctionName']}": 30 for body in functions}
    for body in functions:
        assert body["Architectures"] == ["arm64"]
        assert body["Runtime"] == "python3.13"
        assert body["LoggingConfig"] == {"LogFormat": "JSON"}


def test_a_stage_is_in_the_names_of_its_functions(stack: Stack) -> None:
    names = {body["FunctionName"] for body in stack.of_type("AWS::Lambda::Function").values()}
    assert names == {f"tweet-escalator-test-{name}" for name in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_told_under_which_name_it_counts(stack: Stack, function: str) -> None:
    told = _named(stack, function)["Environment"]["Variables"]
    assert told["POWERTOOLS_SERVICE_NAME"] == "tweet-escalator-test"
    assert told["POWERTOOLS_METRICS_NAMESPACE"] == "TweetEscalator"


def test_what_is_deployed_leaves_no_variable_unresolved(stack: Stack) -> None:
    for path, value in _walk(stack.resources):
        unknown = re.findall(r"\$\{(?![A-Za-z.]+\}|AWS::)", str(value))
        assert not unknown, path


def test_no_function_reserves_concurrency_that_a_small_account_lacks(stack: Stack) -> None:
    functions = stack.of_type("AWS::Lambda::Function").values()
    assert not [body for body in functions if "ReservedConcurrentExecutions" in body]


# ── Routes and schedules ──


def test_each_route_leads_to_its_function(stack: Stack) -> None:
    integrations = {
        name: body["IntegrationUri"]["Fn::GetAtt"][0]
        for name, body in stack.of_type("AWS::ApiGatewayV2::Integration").items()
    }
    functions = {
        name: body["FunctionName"].rpartition("-")[2]
        for name, body in stack.of_type("AWS::Lambda::Function").items()
    }
    routes = {
        body["RouteKey"]: functions[integrations[body["Target"]["Fn::Join"][1][1]["Ref"]]]
        for body in stack.of_type("AWS::ApiGatewayV2::Route").values()
    }
    assert routes == ROUTES


def test_a_flood_of_requests_is_turned_away_before_it_costs(stack: Stack) -> None:
    (stage,) = stack.of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": 100,
        "ThrottlingBurstLimit": 200,
        "DetailedMetricsEnabled": False,
    }


def test_no_other_site_may_call_from_a_browser(stack: Stack) -> None:
    (api,) = stack.of_type("AWS::ApiGatewayV2::Api").values()
    assert "CorsConfiguration" not in api


def test_a_function_behind_the_api_answers_before_the_api_gives_up(stack: Stack) -> None:
    assert all(_named(stack, name)["Timeout"] < 30 for name in ROUTES.values())


def test_what_runs_every_minute_is_over_within_the_minute_and_never_tried_twice(
    stack: Stack,
) -> None:
    rules = stack.of_type("AWS::Events::Rule").values()
    assert [rule["ScheduleExpression"] for rule in rules] == ["rate(1 minute)"] * 2
    started = {target["Arn"]["Fn::GetAtt"][0] for rule in rules for target in rule["Targets"]}
    assert started == {"XPollerLambdaFunction", "HousekeepingLambdaFunction"}
    tries = stack.of_type("AWS::Lambda::EventInvokeConfig").values()
    assert {body["FunctionName"]["Ref"]: body["MaximumRetryAttempts"] for body in tries} == (
        dict.fromkeys(started, 0)
    )
    for name in started:
        assert stack.resources[name]["Properties"]["Timeout"] < 60


# ── Queues ──


def test_each_queue_has_one_function_that_reports_what_failed(stack: Stack) -> None:
    sources = _sources(stack)
    assert sources.keys() == set(QUEUES)
    for queue, function in CONSUMERS.items():
        called = stack.resources[sources[queue]["FunctionName"]["Fn::GetAtt"][0]]["Properties"]
        assert called["FunctionName"].endswith(f"-{function}")
        assert sources[queue]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert sources[queue]["Enabled"]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_stays_hidden_for_six_timeouts_of_its_function(stack: Stack, queue: str) -> None:
    timeout = _named(stack, CONSUMERS[queue])["Timeout"]
    assert stack.of_type("AWS::SQS::Queue")[queue]["VisibilityTimeout"] >= 6 * timeout


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_has_dead_letters_of_its_own_kind_that_are_kept_longer(
    stack: Stack, queue: str
) -> None:
    queues = stack.of_type("AWS::SQS::Queue")
    name = queue.removesuffix("Queue") + "DeadLetters"
    dead, live = queues[name], queues[queue]
    assert live["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [name, "Arn"]}
    assert live["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert dead.get("FifoQueue") == live.get("FifoQueue") == (True if queue in FIFO else None)
    assert dead["MessageRetentionPeriod"] == 14 * 86400 > live["MessageRetentionPeriod"]
    assert dead["SqsManagedSseEnabled"]
    assert live["SqsManagedSseEnabled"]


def test_there_are_four_queues_and_the_dead_letters_of_each(stack: Stack) -> None:
    dead = {queue.removesuffix("Queue") + "DeadLetters" for queue in QUEUES}
    assert stack.of_type("AWS::SQS::Queue").keys() == {*QUEUES, *dead}


def test_tweets_are_held_for_a_classifier_that_is_down_without_becoming_dead_letters(
    stack: Stack,
) -> None:
    receives = stack.of_type("AWS::SQS::Queue")["TweetsQueue"]["RedrivePolicy"]["maxReceiveCount"]
    waits = (min(FIRST_WAIT * 2**n, LONGEST_WAIT) for n in range(receives - 1))
    assert sum(waits) > settings.LONGEST_HOLD * 60


@pytest.mark.parametrize("queue", sorted(FIFO))
def test_a_fifo_queue_has_no_batching_window_and_gives_one_message_a_call(
    stack: Stack, queue: str
) -> None:
    source = _sources(stack)[queue]
    assert "MaximumBatchingWindowInSeconds" not in source
    assert "ScalingConfig" not in source  # its one group has one call at a time
    assert source["BatchSize"] == 1


@pytest.mark.parametrize("queue", sorted({*QUEUES} - FIFO))
def test_a_standard_queue_has_a_bound_on_the_functions_it_calls_at_once(
    stack: Stack, queue: str
) -> None:
    assert _sources(stack)[queue]["ScalingConfig"] == {"MaximumConcurrency": 5}


# ── The table ──


def test_the_table_has_its_indexes_its_expiry_and_a_past(stack: Stack) -> None:
    (table,) = stack.of_type("AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    keys = {None: table["KeySchema"]} | {
        index["IndexName"]: index["KeySchema"] for index in table["GlobalSecondaryIndexes"]
    }
    assert {name: [key["AttributeName"] for key in schema] for name, schema in keys.items()} == {
        None: ["id"],
        "newest": ["day", "received_at"],
        "due": ["due", "due_at"],
        "open": ["open", "received_at"],
    }


def test_cases_outlive_their_stack_and_none_deletes_them_by_accident(stack: Stack) -> None:
    table = stack.resources["CasesTable"]
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    # Not RetainExceptOnCreate: what is protected cannot be deleted when its creation fails.
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


def test_the_cases_of_the_stage_for_trying_go_with_it(dev_stack: Stack) -> None:
    table = dev_stack.resources["CasesTable"]
    assert table["Properties"]["DeletionProtectionEnabled"] is False
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Delete"


# ── Secrets, outputs, tags ──


def test_the_web_address_is_closed_from_the_start_by_a_password_nobody_chose(
    stack: Stack,
) -> None:
    generated = stack.of_type("AWS::SecretsManager::Secret")["WebSecret"]["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "API_PASSWORD"
    assert json.loads(generated["SecretStringTemplate"]) == {}
    assert generated["PasswordLength"] >= 24
    assert generated["ExcludePunctuation"]  # it is typed, and stands in shells


def test_keys_are_put_in_after_the_first_deployment(stack: Stack) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")
    assert [secrets[name]["SecretString"] for name in ("XSecret", "SlackSecret")] == ["{}"] * 2


def test_the_outputs_have_every_address_one_needs(stack: Stack) -> None:
    outputs = stack.read(stack.template["Outputs"])
    api = "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    assert {name: output["Value"] for name, output in outputs.items()} == {
        "ServerlessDeploymentBucketName": {"Ref": "ServerlessDeploymentBucket"},
        "HttpApiId": {"Ref": "HttpApi"},
        "HttpApiUrl": outputs["HttpApiUrl"]["Value"],
        "WebAddress": f"{api}/",
        "XWebhookUrl": f"{api}/x/webhook",
        "SlackEventsUrl": f"{api}/slack/events",
        "CasesTableName": {"Ref": "CasesTable"},
        "AlarmsTopicArn": {"Ref": "AlarmsTopic"},
        "XSecretId": {"Ref": "XSecret"},
        "SlackSecretId": {"Ref": "SlackSecret"},
        "WebSecretId": {"Ref": "WebSecret"},
        "Classifier": "embedded",
        "Release": "unknown",
    }
    ours = CONFIG["resources"]["Outputs"]
    assert all(outputs[name]["Description"] for name in ours)
    routes = {line.split()[1] for line in ROUTES}
    assert {"/", "/x/webhook", "/slack/events"} <= routes


def test_all_of_a_stage_is_tagged_with_project_and_stage() -> None:
    # AWS passes a stack's tags on to what it makes; the template itself does not name them.
    tags = CONFIG["provider"]["stackTags"]
    assert tags == {"project": CONFIG["service"], "stage": "${sls:stage}"}


# ── The tools ──


def test_what_node_brings_is_pinned_and_its_lock_file_names_no_registry() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    lock = (ROOT / "package-lock.json").read_text()
    assert wanted.keys() == {"osls", "axe-core", "pyodide"}
    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert json.loads(lock)["packages"][f"node_modules/{name}"]["version"] == version
    assert '"resolved"' not in lock


def test_cfn_lint_has_nothing_to_say_about_the_stack(package: Path) -> None:
    if importlib.util.find_spec("cfnlint") is None:
        pytest.skip("cfn-lint is not installed")
    lint = subprocess.run(
        [sys.executable, "-c", "from cfnlint import runner; runner.main()", package / TEMPLATE],
        cwd=ROOT,  # where .cfnlintrc is
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr
