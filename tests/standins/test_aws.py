"""The resources of serverless.yml in moto."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.standins import aws


def queue(name: str, *, fifo: bool = False) -> dict[str, Any]:
    dead = {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]}
    ordered = {"FifoQueue": True} if fifo else {}
    policy = {"deadLetterTargetArn": dead, "maxReceiveCount": 2}
    properties = {"VisibilityTimeout": 180, "RedrivePolicy": policy, **ordered}
    return {
        f"{name}Queue": {"Type": "AWS::SQS::Queue", "Properties": properties},
        f"{name}DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": ordered},
    }


SERVERLESS = {
    "resources": {
        "Resources": {
            **queue("Tweets"),
            **queue("Cards", fifo=True),
            **queue("Replies", fifo=True),
            **queue("Actions"),
            "CasesTable": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": "${self:service}-cases",
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [
                        {"AttributeName": "id", "AttributeType": "S"},
                        {"AttributeName": "due", "AttributeType": "S"},
                    ],
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "GlobalSecondaryIndexes": [
                        {
                            "IndexName": "due",
                            "KeySchema": [{"AttributeName": "due", "KeyType": "HASH"}],
                            "Projection": {"ProjectionType": "ALL"},
                        }
                    ],
                    "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
                },
            },
            "XSecret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "x"}},
            "SlackSecret": {"Type": "AWS::SecretsManager::Secret"},
            "WebSecret": {"Type": "AWS::SecretsManager::Secret"},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
            "TriageRole": "${file(aws/roles.yml):TriageRole}",
        }
    }
}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as url:
        yield url


@pytest.fixture
def environ(moto: str) -> dict[str, str]:
    aws.reset(moto)
    return aws.create(moto, SERVERLESS, {"XSecret": {"X_CONSUMER_KEY": "test"}})


class TestAws:
    def test_has_what_serverless_yml_declares(self, moto: str, environ: dict[str, str]) -> None:
        assert {name for name in environ if not name.startswith("AWS_")} == set(
            aws.VARIABLES.values()
        )
        sqs = aws.client("sqs", moto)
        cards = sqs.get_queue_attributes(
            QueueUrl=environ["CARDS_QUEUE_URL"], AttributeNames=["All"]
        )["Attributes"]
        policy = json.loads(cards["RedrivePolicy"])
        assert (cards["FifoQueue"], cards["VisibilityTimeout"]) == ("true", "180")
        assert policy["deadLetterTargetArn"].endswith(":CardsDeadLetters.fifo")
        table = aws.client("dynamodb", moto).describe_table(TableName=environ["CASES_TABLE"])
        assert table["Table"]["GlobalSecondaryIndexes"][0]["IndexName"] == "due"
        ttl = aws.client("dynamodb", moto).describe_time_to_live(TableName="CasesTable")
        assert ttl["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"

    def test_hands_out_its_secrets(self, moto: str, environ: dict[str, str]) -> None:
        manager = aws.client("secretsmanager", moto)
        secrets = [
            manager.get_secret_value(SecretId=environ[name])["SecretString"]
            for name in ("X_SECRET_ID", "WEB_SECRET_ID")
        ]
        assert secrets == ['{"X_CONSUMER_KEY": "test"}', "{}"]

    def test_moves_a_message_received_too_often_aside(
        self, moto: str, environ: dict[str, str]
    ) -> None:
        sqs, url = aws.client("sqs", moto), environ["TWEETS_QUEUE_URL"]
        sqs.send_message(QueueUrl=url, MessageBody="{}")
        received = [
            sqs.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages", [])
            for _ in range(3)
        ]
        dead = sqs.get_queue_url(QueueName="TweetsDeadLetters")["QueueUrl"]
        assert [len(messages) for messages in received] == [1, 1, 0]
        assert len(sqs.receive_message(QueueUrl=dead)["Messages"]) == 1

    def test_forgets_everything_on_reset(self, moto: str, environ: dict[str, str]) -> None:
        assert environ["TWEETS_QUEUE_URL"].startswith(moto)
        aws.reset(moto)
        assert "QueueUrls" not in aws.client("sqs", moto).list_queues()
