"""What a function costs that does nothing of its own: boto3 and one client, under the runtime."""

import os
from typing import Any

import boto3

SERVICE = os.environ["BENCH_SERVICE"]
CLIENT: Any = boto3.client(SERVICE)
CALLS: dict[str, Any] = {
    "dynamodb": lambda: CLIENT.get_item(TableName="cases", Key={"id": {"S": "1"}}),
    "secretsmanager": lambda: CLIENT.get_secret_value(SecretId="web"),
    "sqs": lambda: CLIENT.send_message(QueueUrl=os.environ["TWEETS_QUEUE_URL"], MessageBody="1"),
}


def idle(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    return {}


def calling(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The same, with the client's first call."""
    CALLS[SERVICE]()
    return idle(event, context)
