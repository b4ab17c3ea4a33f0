"""AWS as moto plays it, and the resources of serverless.yml created in it.

moto: docs.getmoto.org/en/latest/docs/server_mode.html; resources:
docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

import boto3
import requests
from moto import backends
from moto.server import ThreadedMotoServer
from moto.sqs import models

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
VARIABLES = {
    "CasesTable": "CASES_TABLE",
    "TweetsQueue": "TWEETS_QUEUE_URL",
    "CardsQueue": "CARDS_QUEUE_URL",
    "RepliesQueue": "REPLIES_QUEUE_URL",
    "ActionsQueue": "ACTIONS_QUEUE_URL",
    "XSecret": "X_SECRET_ID",
    "SlackSecret": "SLACK_SECRET_ID",
    "WebSecret": "WEB_SECRET_ID",
}
TABLE_FIELDS = (
    "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes",
    "BillingMode", "ProvisionedThroughput", "StreamSpecification",
)  # fmt: skip
QUEUE_FIELDS = (
    "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
    "VisibilityTimeout", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "DelaySeconds", "MaximumMessageSize",
)  # fmt: skip

Resources = Mapping[str, Any]


def _milliseconds(dt: datetime | None = None) -> float:  # noqa: ARG001
    return time.time() * 1_000


# Where moto's time went. For each message that it is sent or hands out it asks of all the others
# what time it is, which its own way of telling makes dear; for each call it reads the folder of its
# own modules.
models.unix_time_millis = _milliseconds  # type: ignore[attr-defined]
_modules = tuple(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: _modules


@contextmanager
def moto_server() -> Iterator[str]:
    """A fresh AWS on loopback; yields its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        reset(url := f"http://{host}:{port}")
        yield url
    finally:
        server.stop()
        if server._server:
            server._server.server_close()


def reset(url: str) -> None:
    """Forgets everything: moto's state belongs to the process, not to one server."""
    requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()


def client(service: str, url: str) -> Any:
    """A client of that AWS."""
    return _session().client(service, endpoint_url=url)


@cache
def _session() -> boto3.Session:
    """One for all: each reads the descriptions of AWS's services anew."""
    return boto3.Session("testing", "testing", region_name=REGION)


def create(
    url: str, serverless: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, str]:
    """Creates what `resources.Resources` of the parsed serverless.yml declares.

    Names are the logical ids, so nothing in the file needs to be resolved but references.
    `secrets` gives contents by logical id, `{}` otherwise. Returns a function's environment.
    """
    resources: Resources = serverless["resources"]["Resources"]
    made = {
        **_queues(client("sqs", url), resources),
        **_tables(client("dynamodb", url), resources),
        **_secrets(client("secretsmanager", url), resources, secrets or {}),
    }
    return {
        **{VARIABLES[name]: value for name, value in made.items() if name in VARIABLES},
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def _queues(sqs: Any, resources: Resources) -> dict[str, str]:
    """Dead-letter queues first: a redrive policy may name only queues that exist."""
    declared = _of_type(resources, "AWS::SQS::Queue")
    urls: dict[str, str] = {}
    for name, properties in sorted(declared.items(), key=lambda item: "RedrivePolicy" in item[1]):
        fifo = ".fifo" if properties.get("FifoQueue") else ""
        attributes = {
            field: _text(properties[field]) for field in QUEUE_FIELDS if field in properties
        }
        if policy := properties.get("RedrivePolicy"):
            arn = _arn(sqs, urls[_referred(policy["deadLetterTargetArn"])])
            attributes["RedrivePolicy"] = json.dumps({**policy, "deadLetterTargetArn": arn})
        urls[name] = sqs.create_queue(QueueName=name + fifo, Attributes=attributes)["QueueUrl"]
    return urls


def _tables(dynamodb: Any, resources: Resources) -> dict[str, str]:
    tables = _of_type(resources, "AWS::DynamoDB::Table")
    for name, properties in tables.items():
        fields = {field: properties[field] for field in TABLE_FIELDS if field in properties}
        dynamodb.create_table(TableName=name, **fields)
        if ttl := properties.get("TimeToLiveSpecification"):
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    return {name: name for name in tables}


def _secrets(
    manager: Any, resources: Resources, contents: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    names = _of_type(resources, "AWS::SecretsManager::Secret")
    return {
        name: manager.create_secret(Name=name, SecretString=json.dumps(contents.get(name, {})))[
            "ARN"
        ]
        for name in names
    }


def _of_type(resources: Resources, kind: str) -> dict[str, Mapping[str, Any]]:
    """The properties by logical id; what stands in another file (`${file(…)}`) is passed over."""
    return {
        name: resource.get("Properties", {})
        for name, resource in resources.items()
        if isinstance(resource, Mapping) and resource["Type"] == kind
    }


def _arn(sqs: Any, url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _referred(value: Any) -> str:
    """The logical id in `Fn::GetAtt`, as a list or with a dot."""
    target = value["Fn::GetAtt"]
    return str(target.split(".")[0] if isinstance(target, str) else target[0])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
