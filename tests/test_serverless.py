import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.batches import FIRST_WAIT, LONGEST_WAIT
from bot.local.serverless import load

ROOT = Path(__file__).parents[1]
CONFIG = load(ROOT / "serverless.yml")
FUNCTIONS = CONFIG["functions"]
RESOURCES = CONFIG["resources"]["Resources"]
ROLES = load(ROOT / "aws" / "roles.yml")
QUEUES = {name: body["Properties"] for name, body in RESOURCES.items() if name.endswith("Queue")}

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
SECRET = {"secretsmanager:GetSecretValue"}
INVOKE = {"sagemaker:InvokeEndpoint"}
SEND = {"sqs:SendMessage"}
CONSUME = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
}
DEPTH = {"sqs:GetQueueAttributes"}
CHANGE = {"dynamodb:GetItem", "dynamodb:PutItem"}
READ = {"dynamodb:GetItem", "dynamodb:BatchGetItem"}
READ_AND_CHANGE = {*CHANGE, *READ}
QUERY = {"dynamodb:Query"}

RIGHTS: dict[str, dict[str, set[str]]] = {
    "tweetApi": {"WebSecret": SECRET, "endpoint": INVOKE},
    "xWebhook": {"XSecret": SECRET, "CasesTable": CHANGE, "TweetsQueue": SEND},
    "xPoller": {
        "XSecret": SECRET,
        "CasesTable": READ_AND_CHANGE,
        "CasesTable/index/newest": QUERY,
        "TweetsQueue": SEND,
    },
    "triage": {
        "TweetsQueue": CONSUME,
        "endpoint": INVOKE,
        "CasesTable": READ_AND_CHANGE,
        "CardsQueue": SEND,
        "RepliesQueue": SEND,
    },
    "notify": {
        "CardsQueue": {*CONSUME, *SEND},
        "SlackSecret": SECRET,
        "CasesTable": READ_AND_CHANGE,
    },
    "reply": {
        "RepliesQueue": CONSUME,
        "XSecret": SECRET,
        "CasesTable": READ_AND_CHANGE,
        "CardsQueue": SEND,
    },
    "slack": {"SlackSecret": SECRET, "ActionsQueue": SEND, "CasesTable": READ},
    "slackActions": {
        "ActionsQueue": CONSUME,
        "SlackSecret": SECRET,
        "endpoint": INVOKE,
        "CasesTable": READ_AND_CHANGE,
        "CasesTable/index/newest": QUERY,
        "CasesTable/index/open": QUERY,
        "CardsQueue": {*SEND, *DEPTH},
        "RepliesQueue": {*SEND, *DEPTH},
        "TweetsQueue": DEPTH,
        **{
            f"{queue}DeadLetters": {"sqs:GetQueueUrl", *DEPTH}
            for queue in ("Tweets", "Actions", "Cards", "Replies")
        },
    },
    "housekeeping": {
        "CasesTable": READ_AND_CHANGE,
        "CasesTable/index/due": QUERY,
        "CasesTable/index/newest": QUERY,
        "CasesTable/index/open": QUERY,
        "CardsQueue": SEND,
        "RepliesQueue": SEND,
    },
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


def _events(kind: str) -> Iterator[tuple[str, Any]]:
    for name, function in FUNCTIONS.items():
        for event in function.get("events", []):
            if kind in event:
                yield name, event[kind]


def _consumers() -> dict[str, tuple[str, Any]]:
    """Each queue's function and event."""
    return {event["arn"]["Fn::GetAtt"][0]: (name, event) for name, event in _events("sqs")}


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


def _pascal(function: str) -> str:
    return function[0].upper() + function[1:]


def _label(resource: dict[str, Any]) -> str:
    """What a statement's resource is called in RIGHTS."""
    ((how, what),) = resource.items()
    if how == "Fn::GetAtt":
        return str(what[0])
    if how == "Ref":
        return str(what)
    endpoint = "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint/"
    return re.sub(rf"^{re.escape(endpoint)}.*$", "endpoint", what).replace(
        "${CasesTable.Arn}", "CasesTable"
    )


def _rights(role: dict[str, Any]) -> dict[str, set[str]]:
    rights: dict[str, set[str]] = {}
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement.keys() == {"Effect", "Action", "Resource"}
            assert statement["Effect"] == "Allow"
            for resource in _listed(statement["Resource"]):
                rights.setdefault(_label(resource), set()).update(_listed(statement["Action"]))
    return rights


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_what_the_laptop_reads_holds_no_variable_and_no_condition() -> None:
    read_by_the_laptop = {"functions": FUNCTIONS, "queues": QUEUES}
    for path, value in _walk(read_by_the_laptop):
        assert "${" not in str(value), path
        assert value not in {"Fn::If", "Fn::Sub", "Condition"}, path


def test_all_nine_functions_are_wired_and_each_to_the_handler_of_its_name() -> None:
    snake = {name: re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name) for name in RIGHTS}
    wired = {name: function["handler"] for name, function in FUNCTIONS.items()}
    assert wired == {name: f"handlers.{snake[name]}.handler" for name in RIGHTS}


def test_each_route_leads_to_its_function() -> None:
    assert {route: name for name, route in _events("httpApi")} == ROUTES


def test_a_function_behind_the_api_answers_before_the_api_gives_up() -> None:
    assert all(FUNCTIONS[name]["timeout"] < 30 for name in ROUTES.values())


def test_what_runs_every_minute_is_over_within_the_minute_and_never_tried_twice() -> None:
    scheduled = dict(_events("schedule"))
    assert scheduled == {"xPoller": "rate(1 minute)", "housekeeping": "rate(1 minute)"}
    for name in scheduled:
        assert FUNCTIONS[name]["timeout"] < 60
        assert FUNCTIONS[name]["maximumRetryAttempts"] == 0


def test_each_queue_has_one_function_that_reports_what_failed() -> None:
    assert {queue: name for queue, (name, _) in _consumers().items()} == {
        "TweetsQueue": "triage",
        "CardsQueue": "notify",
        "RepliesQueue": "reply",
        "ActionsQueue": "slackActions",
    }
    for _, event in _consumers().values():
        assert event["functionResponseType"] == "ReportBatchItemFailures"


@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_stays_hidden_for_six_timeouts_of_its_function(queue: str) -> None:
    function, _ = _consumers()[queue]
    assert QUEUES[queue]["VisibilityTimeout"] >= 6 * FUNCTIONS[function]["timeout"]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_has_dead_letters_of_its_own_kind_that_are_kept_longer(queue: str) -> None:
    name = queue.removesuffix("Queue") + "DeadLetters"
    dead, live = RESOURCES[name]["Properties"], QUEUES[queue]
    assert live["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [name, "Arn"]}
    assert live["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert dead.get("FifoQueue") == live.get("FifoQueue")
    assert dead["MessageRetentionPeriod"] == 14 * 86400 > live["MessageRetentionPeriod"]
    assert dead["SqsManagedSseEnabled"]
    assert live["SqsManagedSseEnabled"]


@pytest.mark.parametrize("queue", QUEUES)
def test_one_dead_letter_of_a_queue_raises_its_alarm(queue: str) -> None:
    dead = queue.removesuffix("Queue") + "DeadLetters"
    alarm = RESOURCES[f"{dead}Alarm"]["Properties"]
    metric = (alarm["Namespace"], alarm["MetricName"])
    assert metric == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": [dead, "QueueName"]}}
    ]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Maximum", 60, 1)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmActions"] == [{"Ref": "AlarmsTopic"}]
    name = queue.removesuffix("Queue").lower()
    assert f"`python -m bot redrive {name}`" in alarm["AlarmDescription"]


def test_cloudwatch_may_publish_to_the_topic_of_the_alarms() -> None:
    # Not where AWS's own key (alias/aws/sns) encrypts it (CloudWatch user guide, "Amazon SNS").
    assert "KmsMasterKeyId" not in RESOURCES["AlarmsTopic"].get("Properties", {})


def test_tweets_are_held_for_a_classifier_that_is_down_without_becoming_dead_letters() -> None:
    receives = QUEUES["TweetsQueue"]["RedrivePolicy"]["maxReceiveCount"]
    waits = (min(FIRST_WAIT * 2**n, LONGEST_WAIT) for n in range(receives - 1))
    assert sum(waits) > settings.LONGEST_HOLD * 60


def test_a_fifo_queue_has_no_batching_window_and_gives_one_message_a_call() -> None:
    fifo = {queue for queue, properties in QUEUES.items() if properties.get("FifoQueue")}
    assert fifo == {"CardsQueue", "RepliesQueue"}
    for queue in fifo:
        _, event = _consumers()[queue]
        assert "maximumBatchingWindow" not in event
        assert event["batchSize"] == 1


def test_no_function_reserves_concurrency_that_a_small_account_lacks() -> None:
    assert not [name for name, body in FUNCTIONS.items() if "reservedConcurrency" in body]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_its_own_role_says_and_that_is_this_table(function: str) -> None:
    role = f"{_pascal(function)}Role"
    assert FUNCTIONS[function]["role"] == role
    assert RESOURCES[role] == f"${{file(aws/roles.yml):{role}}}"
    assert _rights(ROLES[role]) == RIGHTS[function] | {f"{_pascal(function)}LogGroup": LOGS}


def test_there_is_no_role_besides_and_none_takes_a_ready_made_policy() -> None:
    assert set(ROLES) == {f"{_pascal(function)}Role" for function in FUNCTIONS}
    for role in ROLES.values():
        assert role["Properties"].keys() == {"AssumeRolePolicyDocument", "Policies"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_told_of_just_the_secrets_that_it_may_read(function: str) -> None:
    told = {
        name: value["Ref"]
        for name, value in FUNCTIONS[function].get("environment", {}).items()
        if name.endswith("_SECRET_ID")
    }
    names = {
        "X_SECRET_ID": "XSecret",
        "SLACK_SECRET_ID": "SlackSecret",
        "WEB_SECRET_ID": "WebSecret",
    }
    assert told.items() <= names.items()
    assert set(told.values()) == {name for name in RIGHTS[function] if name.endswith("Secret")}
    assert not any("SECRET" in name for name in CONFIG["provider"]["environment"])


def test_the_table_has_its_indexes_its_expiry_and_outlives_the_stack() -> None:
    table = RESOURCES["CasesTable"]
    assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    assert table["UpdateReplacePolicy"] == "Retain"
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    keys = {None: properties["KeySchema"]} | {
        index["IndexName"]: index["KeySchema"] for index in properties["GlobalSecondaryIndexes"]
    }
    assert {name: [key["AttributeName"] for key in schema] for name, schema in keys.items()} == {
        None: ["id"],
        "newest": ["day", "received_at"],
        "due": ["due", "due_at"],
        "open": ["open", "received_at"],
    }


def test_what_node_brings_is_pinned_and_its_lock_file_names_no_registry() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    lock = (ROOT / "package-lock.json").read_text()
    assert wanted.keys() == {"osls", "axe-core"}
    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert json.loads(lock)["packages"][f"node_modules/{name}"]["version"] == version
    assert '"resolved"' not in lock


# ── The package itself: made once for the tests below, offline and without an account ──

MAILED = "ALARM_EMAIL=lead@example.com"
MADE_BY_SETUP = ("node_modules/.bin/osls", "build/dependencies.stamp", "build/model.tar.gz")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `osls package` wrote, from a copy of the project with a space in its name."""
    missing = [name for name in MADE_BY_SETUP if not (ROOT / name).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not here: run `make setup` first")
    home = tmp_path_factory.mktemp("home")
    copy = tmp_path_factory.mktemp("with a space")
    for name in ("aws", "bot", "handlers", "build/dependencies"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("serverless.yml", "rules.toml", "replies.toml", *MADE_BY_SETUP[1:]):
        shutil.copy(ROOT / name, copy / name)
    for stray in (".env", ".data/cases.sqlite", "tests/test_it.py", "bot/__pycache__/x.pyc"):
        (copy / stray).parent.mkdir(exist_ok=True)
        (copy / stray).touch()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    run = subprocess.run(
        [ROOT / "node_modules/.bin/osls", "package", "--stage", "test", f"--param={MAILED}"],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return copy / ".serverless"


@pytest.fixture(scope="module")
def archive(package: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(package / "tweet-escalator.zip") as archive:
        yield archive


def test_the_zip_holds_the_code_its_rules_the_model_and_the_dependencies(
    archive: zipfile.ZipFile,
) -> None:
    names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {
        "bot",
        "build",
        "handlers",
        "replies.toml",
        "rules.toml",
    }
    assert {"/".join(name.split("/")[:2]) for name in names if name.startswith("build/")} == {
        "build/dependencies",
        "build/model.tar.gz",
    }
    for function in FUNCTIONS.values():
        module = function["handler"].removesuffix(".handler").replace(".", "/")
        assert f"{module}.py" in names


def test_the_zip_holds_nothing_of_the_laptop(archive: zipfile.ZipFile) -> None:
    ours = [name for name in archive.namelist() if not name.startswith("build/dependencies/")]
    laptop = ("bot/local/", "bot/__main__.py", "bot/classifier/corpus", "bot/classifier/training")
    assert not [name for name in ours if name.startswith(laptop) or "__pycache__" in name]


def test_every_handler_imports_where_only_the_zip_is(
    archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    archive.extractall(tmp_path)
    # The zip's libraries are for another machine: this one's own stand in for them.
    handlers = [function["handler"].removesuffix(".handler") for function in FUNCTIONS.values()]
    run = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(handlers)}"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_dependencies_are_those_of_requirements_txt_and_boto3_is_the_runtimes(
    archive: zipfile.ZipFile,
) -> None:
    pinned = {
        line.split()[0].replace("-", "_").replace("==", "-")
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    packed = set(
        re.findall(r"build/dependencies/([^/]+)\.dist-info/METADATA", "\n".join(archive.namelist()))
    )
    assert packed == pinned
    assert not [name for name in packed if re.match("boto|s3transfer", name)]


def test_the_libraries_are_built_for_python_3_13_on_arm64(archive: zipfile.ZipFile) -> None:
    libraries = [name for name in archive.namelist() if name.endswith(".so")]
    assert [name for name in libraries if "fasttext" in name]
    for name in libraries:
        assert name.endswith(".cpython-313-aarch64-linux-gnu.so")
        elf_machine = int.from_bytes(archive.read(name)[18:20], "little")
        assert elf_machine == 183, name  # EM_AARCH64


def test_the_zip_is_far_below_what_lambda_unpacks(archive: zipfile.ZipFile) -> None:
    assert sum(entry.file_size for entry in archive.infolist()) < 250 * 2**20 / 2


def test_the_stack_has_no_role_but_ours(package: Path) -> None:
    template = json.loads((package / "cloudformation-template-update-stack.json").read_text())
    roles = {
        name for name, body in template["Resources"].items() if body["Type"] == "AWS::IAM::Role"
    }
    assert roles == set(ROLES)
    assert "${" not in json.dumps(template["Resources"]["TriageLambdaFunction"])


def test_who_is_named_at_deployment_is_mailed_and_unless_one_is_nobody(package: Path) -> None:
    template = json.loads((package / "cloudformation-template-update-stack.json").read_text())
    named = template["Parameters"]["AlarmEmail"]
    assert named["Default"] == "lead@example.com"
    assert CONFIG["resources"]["Parameters"]["AlarmEmail"]["Default"] == "${param:ALARM_EMAIL, ''}"
    subscription = template["Resources"]["AlarmsSubscription"]
    assert subscription["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}
    nobody = {"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}
    assert template["Conditions"][subscription["Condition"]] == {"Fn::Not": [nobody]}


def test_cfn_lint_has_nothing_to_say_about_the_stack(package: Path) -> None:
    if importlib.util.find_spec("cfnlint") is None:
        pytest.skip("cfn-lint is not installed")
    template = package / "cloudformation-template-update-stack.json"
    lint = subprocess.run(
        [sys.executable, "-c", "from cfnlint import runner; runner.main()", template],
        cwd=ROOT,  # where .cfnlintrc is
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr
