"""Events that are none of ours: another service's, or those of the console's Test button."""

from pathlib import Path
from typing import Any

import pytest

from bot.local.events import schedule_event, sqs_event
from bot.ports import Message
from bot.process import hosting
from bot.wiring import Parts
from handlers import notify, reply, slack, slack_actions, triage, tweet_api, x_webhook
from tests.examples import NOON, parts
from tests.test_settings import SLACK

SAID = "What somebody said"
HTTP = {"version": "2.0", "requestContext": {}, "rawPath": SAID}


@pytest.fixture
def bot(tmp_path: Path) -> Parts:
    return parts(tmp_path, **SLACK)


OTHERS = [
    ({}, "an empty event"),
    (None, "an empty event"),
    ({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": SAID}}}]}, "aws:s3"),
    ({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": SAID}}]}, "aws:sns"),
    ({"Records": SAID}, "no service we know"),
    ({"Records": [SAID]}, "no service we know"),
    ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": SAID}, "s3:TestEvent"),
    (schedule_event(NOON), "aws.events"),
    ({"version": "1.0", "httpMethod": "GET", "path": SAID}, "payload 1.0"),
    (HTTP, "an HTTP request"),
    ({"key1": SAID}, "no service we know"),
    ({"source": SAID}, "no service we know"),
    (SAID, "an empty event"),
]


@pytest.mark.parametrize(("event", "named"), OTHERS)
@pytest.mark.parametrize("function", [triage, notify, reply, slack_actions])
def test_another_services_event_is_told_in_one_line_and_let_go(
    bot: Parts, caplog: pytest.LogCaptureFixture, function: Any, event: Any, named: str
) -> None:
    with hosting(bot):
        assert function.handler(event, None) == {"batchItemFailures": []}
    [line] = [record for record in caplog.records if record.name.startswith("bot")]
    assert (line.levelname, named in line.message) == ("ERROR", True)
    assert SAID not in line.message


@pytest.mark.parametrize(("event", "named"), OTHERS)
@pytest.mark.parametrize("function", [tweet_api, x_webhook, slack])
def test_an_http_function_answers_it_with_one_sentence(
    bot: Parts, caplog: pytest.LogCaptureFixture, function: Any, event: Any, named: str
) -> None:
    with hosting(bot):
        answer = function.handler(event, None)
    assert (answer["statusCode"], named in answer["body"]) == (400, True)
    [line] = [record for record in caplog.records if record.name.startswith("bot")]
    assert (line.levelname, named in line.message) == ("ERROR", True)
    assert SAID not in line.message + answer["body"]
    assert "batchItemFailures" not in answer


@pytest.mark.parametrize("function", [tweet_api, x_webhook, slack])
def test_messages_that_come_to_an_http_function_stay_on_their_queue(
    bot: Parts, function: Any
) -> None:
    batch = [Message(str(number), SAID, f"receipt {number}", 1, NOON) for number in range(2)]
    with hosting(bot):
        answer = function.handler(sqs_event(batch, "tweets"), None)
    assert answer["statusCode"] == 400
    assert answer["batchItemFailures"] == [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]


@pytest.mark.parametrize("function", [triage, notify, reply, slack_actions])
def test_the_consoles_own_message_for_tests_is_left_to_the_dead_letters(
    bot: Parts, caplog: pytest.LogCaptureFixture, function: Any
) -> None:
    # Its receipt is none, so the queue cannot be told when it shall come again.
    with hosting(bot):
        test = Message("19dd0b57", "Hello from SQS!", "MessageReceiptHandle", 1, NOON)
        answer = function.handler(sqs_event([test], "MyQueue"), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "19dd0b57"}]}
    [line] = [record for record in caplog.records if record.name.startswith("bot")]
    assert "is left to the dead letters: This message is not JSON" in line.message
