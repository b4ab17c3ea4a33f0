import re
from typing import Any

import pytest

from tests.packaged import ROOT
from tests.stacks import Stack

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
    "tweetApi": {"WebSecret": SECRET},
    "xWebhook": {"XSecret": SECRET, "CasesTable": CHANGE, "TweetsQueue": SEND},
    "xPoller": {
        "XSecret": SECRET,
        "CasesTable": READ_AND_CHANGE,
        "CasesTable/index/newest": QUERY,
        "TweetsQueue": SEND,
    },
    "triage": {
        "TweetsQueue": CONSUME,
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

CLASSIFYING = {"tweetApi", "triage", "slackActions"}
SECRETS = {"X_SECRET_ID": "XSecret", "SLACK_SECRET_ID": "SlackSecret", "WEB_SECRET_ID": "WebSecret"}


def _pascal(function: str) -> str:
    return function[0].upper() + function[1:]


def _label(resource: Any) -> str:
    """What a statement's resource is called in RIGHTS."""
    if isinstance(resource, str):
        return resource.replace("${CasesTable.Arn}", "CasesTable")
    ((how, what),) = resource.items()
    return str(what[0] if how == "Fn::GetAtt" else what)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def rights(stack: Stack, function: str) -> dict[str, set[str]]:
    """What a function's role allows: actions by resource."""
    allowed: dict[str, set[str]] = {}
    role = stack.of_type("AWS::IAM::Role")[f"{_pascal(function)}Role"]
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement.keys() == {"Effect", "Action", "Resource"}
            assert statement["Effect"] == "Allow"
            for resource in _listed(statement["Resource"]):
                allowed.setdefault(_label(resource), set()).update(_listed(statement["Action"]))
    return allowed


@pytest.mark.parametrize("function", RIGHTS)
def test_a_function_may_do_what_its_own_role_says_and_that_is_this_table(
    stack: Stack, function: str
) -> None:
    role = f"{_pascal(function)}Role"
    deployed = stack.of_type("AWS::Lambda::Function")[f"{_pascal(function)}LambdaFunction"]
    assert deployed["Role"] == {"Fn::GetAtt": [role, "Arn"]}
    assert rights(stack, function) == RIGHTS[function] | {f"{_pascal(function)}LogGroup": LOGS}


@pytest.mark.parametrize("function", RIGHTS)
def test_no_right_is_of_a_kind_of_things_but_of_one_thing(stack: Stack, function: str) -> None:
    for resource, actions in rights(stack, function).items():
        assert "*" not in resource
        assert not [action for action in actions if "*" in action]


def test_there_is_no_role_besides_and_none_takes_a_ready_made_policy(stack: Stack) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    assert roles.keys() == {f"{_pascal(function)}Role" for function in RIGHTS}
    for role in roles.values():
        assert role.keys() == {"AssumeRolePolicyDocument", "Policies"}
        (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trusted["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("function", RIGHTS)
def test_a_function_is_told_of_just_the_secrets_that_it_may_read(
    stack: Stack, function: str
) -> None:
    deployed = stack.of_type("AWS::Lambda::Function")[f"{_pascal(function)}LambdaFunction"]
    told = {
        name: value["Ref"]
        for name, value in deployed["Environment"]["Variables"].items()
        if "SECRET" in name
    }
    assert told.items() <= SECRETS.items()
    assert set(told.values()) == {name for name in RIGHTS[function] if name.endswith("Secret")}


@pytest.mark.parametrize("function", RIGHTS)
def test_only_what_classifies_may_call_the_endpoint_and_only_that_one(
    dev_stack: Stack, function: str
) -> None:
    endpoint = (
        "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint/customer-support"
    )
    assert rights(dev_stack, function).get(endpoint) == (
        {"sagemaker:InvokeEndpoint"} if function in CLASSIFYING else None
    )


def test_the_page_about_aws_tells_each_functions_rights() -> None:
    page = (ROOT / "docs" / "aws.md").read_text("utf-8")
    section = page.split("## Permissions")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert told.keys() == RIGHTS.keys()
    for function, cell in told.items():
        secrets = set(re.findall(r"`(\w+Secret)`", cell))
        assert secrets == {name for name in RIGHTS[function] if name.endswith("Secret")}
