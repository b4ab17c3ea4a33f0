import re
from typing import Any

import pytest

from bot import settings
from bot.checkups import LEVELS
from tests.packaged import ROOT
from tests.stacks import Stack, stack_of
from tests.test_permissions import RIGHTS

QUEUES = ("tweets", "actions", "cards", "replies")


def _alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    return stack.of_type("AWS::CloudWatch::Alarm")


def _metric(alarm: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    return alarm["Namespace"], alarm["MetricName"], dimensions


def _rings(alarm: dict[str, Any]) -> tuple[str, str, float]:
    return alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]


@pytest.mark.parametrize("queue", QUEUES)
def test_one_dead_letter_of_a_queue_raises_its_alarm(stack: Stack, queue: str) -> None:
    dead = f"{queue.capitalize()}DeadLetters"
    alarm = _alarms(stack)[f"{dead}Alarm"]
    assert _metric(alarm) == (
        *("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        {"QueueName": {"Fn::GetAtt": [dead, "QueueName"]}},
    )
    assert _rings(alarm) == ("Maximum", "GreaterThanThreshold", 0)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)
    assert f"`python -m bot redrive {queue} --stage test`" in alarm["AlarmDescription"]


@pytest.mark.parametrize("queue", QUEUES)
def test_what_waits_too_long_on_a_queue_raises_its_alarm(stack: Stack, queue: str) -> None:
    alarm = _alarms(stack)[f"{queue.capitalize()}AgeAlarm"]
    live = f"{queue.capitalize()}Queue"
    assert _metric(alarm) == (
        *("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        {"QueueName": {"Fn::GetAtt": [live, "QueueName"]}},
    )
    statistic, comparison, seconds = _rings(alarm)
    assert (statistic, comparison) == ("Maximum", "GreaterThanThreshold")
    # A call that died is made again first: that is no reason to call a person.
    assert stack.of_type("AWS::SQS::Queue")[live]["VisibilityTimeout"] < seconds <= 1800


def test_posts_that_a_classifier_holds_raise_no_alarm_of_age(stack: Stack) -> None:
    assert _alarms(stack)["TweetsAgeAlarm"]["Threshold"] > settings.LONGEST_HOLD * 60


@pytest.mark.parametrize("function", RIGHTS)
def test_a_function_that_keeps_crashing_raises_its_alarm(stack: Stack, function: str) -> None:
    name = function[0].upper() + function[1:]
    alarm = _alarms(stack)[f"{name}ErrorsAlarm"]
    assert _metric(alarm) == (
        *("AWS/Lambda", "Errors"),
        {"FunctionName": {"Ref": f"{name}LambdaFunction"}},
    )
    assert _rings(alarm) == ("Sum", "GreaterThanThreshold", 0)
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)
    assert f"-f {function} --stage test" in alarm["AlarmDescription"]


def test_requests_that_nothing_answers_raise_an_alarm(stack: Stack) -> None:
    alarm = _alarms(stack)["UnansweredAlarm"]
    assert _metric(alarm) == ("AWS/ApiGateway", "5xx", {"ApiId": {"Ref": "HttpApi"}})


@pytest.mark.parametrize(
    ("name", "metric", "more", "rings"),
    [
        (
            "ClassifierAlarm",
            "Failures",
            {"kind": "classifier"},
            ("Sum", "GreaterThanThreshold", 0),
        ),
        (
            "WebhookRefusedAlarm",
            "WebhookRefused",
            {},
            ("Sum", "GreaterThanOrEqualToThreshold", 10),
        ),
        ("NoTweetAlarm", "HoursSinceTweet", {}, ("Maximum", "GreaterThanThreshold", 24)),
        (
            "ModelDriftsAlarm",
            "Drift",
            {},
            ("Maximum", "GreaterThanOrEqualToThreshold", LEVELS["retrain"]),
        ),
    ],
)
def test_what_the_functions_count_themselves_raises_its_alarm(
    stack: Stack, name: str, metric: str, more: dict[str, str], rings: tuple[str, str, float]
) -> None:
    alarm = _alarms(stack)[name]
    dimensions = {"service": "tweet-escalator-test", **more}
    assert _metric(alarm) == ("TweetEscalator", metric, dimensions)
    assert _rings(alarm) == rings
    told = stack.of_type("AWS::Lambda::Function")["TriageLambdaFunction"]["Environment"]
    assert told["Variables"]["POWERTOOLS_SERVICE_NAME"] == dimensions["service"]


def test_no_figures_are_no_alarm_and_those_that_come_seldom_change_nothing_meanwhile(
    stack: Stack,
) -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in _alarms(stack).items()}
    assert (missing.pop("NoTweetAlarm"), missing.pop("ModelDriftsAlarm")) == ("ignore", "ignore")
    assert set(missing.values()) == {"notBreaching"}


def test_every_alarm_tells_the_one_topic_and_says_what_to_do(stack: Stack) -> None:
    for alarm in _alarms(stack).values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmsTopic"}]
        assert "\n" not in alarm["AlarmDescription"]
        assert len(alarm["AlarmDescription"]) <= 1024
    assert stack.of_type("AWS::SNS::Topic").keys() == {"AlarmsTopic"}


def test_cloudwatch_may_publish_to_the_topic_of_the_alarms(stack: Stack) -> None:
    # Not where AWS's own key (alias/aws/sns) encrypts it (CloudWatch user guide, "Amazon SNS").
    assert "KmsMasterKeyId" not in stack.of_type("AWS::SNS::Topic")["AlarmsTopic"]


def test_who_is_named_at_deployment_is_mailed_and_unless_one_is_nobody(
    template: dict[str, Any],
) -> None:
    mailed = stack_of(template).of_type("AWS::SNS::Subscription")["AlarmsSubscription"]
    assert (mailed["Protocol"], mailed["Endpoint"]) == ("email", "lead@example.com")
    assert mailed["TopicArn"] == {"Ref": "AlarmsTopic"}
    assert not stack_of(template, AlarmEmail="").of_type("AWS::SNS::Subscription")


def test_the_page_about_aws_tells_of_every_alarm(stack: Stack) -> None:
    page = (ROOT / "docs" / "aws.md").read_text("utf-8")
    section = page.split("## Alarms")[1].split("\n## ")[0]
    told = set(re.findall(r"`(\w+Alarm)`", section))
    kinds = {
        re.sub(r"^[A-Z]\w+?(?=(DeadLetters|Age|Errors)Alarm)", "…", name) for name in _alarms(stack)
    }
    assert told == {name.removeprefix("…") for name in kinds}
