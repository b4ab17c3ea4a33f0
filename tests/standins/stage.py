"""A stage as deployed into moto: its functions' settings, its stack's outputs, its alarms.

Nothing runs in it; what is made are the things that the command line asks of AWS.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.local.serverless import WIRING, load, service
from tests.standins import aws

STAGE: Final = "prod"
ADDRESS: Final = "https://abc123.execute-api.us-east-1.amazonaws.com"


@dataclass(frozen=True)
class Stage:
    """The stage `prod` of the AWS at `url`; `made` is what its functions know of it."""

    url: str
    made: Mapping[str, str]
    topic: str

    def client(self, service_name: str) -> Any:
        return aws.client(service_name, self.url)

    def secret(self, name: str) -> dict[str, str]:
        """What a secret (`X`, `SLACK`, `WEB`) holds."""
        found = self.client("secretsmanager").get_secret_value(
            SecretId=self.made[f"{name}_SECRET_ID"]
        )
        held: dict[str, str] = json.loads(found["SecretString"])
        return held

    def fill(self, name: str, values: Mapping[str, str] | str) -> None:
        content = values if isinstance(values, str) else json.dumps(values)
        self.client("secretsmanager").put_secret_value(
            SecretId=self.made[f"{name}_SECRET_ID"], SecretString=content
        )

    def raise_alarm(self, name: str) -> None:
        self.client("cloudwatch").set_alarm_state(
            AlarmName=alarm(name), StateValue="ALARM", StateReason="a test"
        )


def alarm(name: str) -> str:
    return f"{service()}-{STAGE}-{name}"


def deploy(
    url: str,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    address: str = ADDRESS,
    **settings: str,
) -> Stage:
    """Deploys it with these settings; `secrets` are by logical id, as in `aws.create`."""
    wiring = load(WIRING)
    made = aws.create(url, wiring, secrets)
    topic = aws.client("sns", url).create_topic(Name="alarms")["TopicArn"]
    stage = Stage(url, made, topic)
    _functions(stage, wiring["functions"], settings)
    _stack(stage, address)
    _alarms(stage)
    return stage


def _functions(
    stage: Stage, declared: Mapping[str, Mapping[str, Any]], settings: Mapping[str, str]
) -> None:
    role = stage.client("iam").create_role(
        RoleName="functions", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17"})
    )
    lambdas = stage.client("lambda")
    common = {
        n: v for n, v in stage.made.items() if n.endswith(("_TABLE", "_URL")) and "AWS" not in n
    }
    for name, function in declared.items():
        own = {n: stage.made[n] for n in function.get("environment", {}) if n in stage.made}
        lambdas.create_function(
            FunctionName=f"{service()}-{STAGE}-{name}",
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler=function["handler"],
            Code={"ZipFile": _zip()},
            Environment={"Variables": {"PYTHONPATH": "/var/task", **common, **settings, **own}},
        )


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("nothing.py", "")
    return content.getvalue()


def _stack(stage: Stage, address: str) -> None:
    outputs = {
        "HttpApiUrl": address,
        "WebAddress": f"{address}/",
        "XWebhookUrl": f"{address}/x/webhook",
        "SlackEventsUrl": f"{address}/slack/events",
        "CasesTableName": stage.made["CASES_TABLE"],
        "AlarmsTopicArn": stage.topic,
        "XSecretId": stage.made["X_SECRET_ID"],
        "SlackSecretId": stage.made["SLACK_SECRET_ID"],
        "WebSecretId": stage.made["WEB_SECRET_ID"],
        "Classifier": "embedded",
    }
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    stage.client("cloudformation").create_stack(
        StackName=f"{service()}-{STAGE}", TemplateBody=json.dumps(template)
    )


def _alarms(stage: Stage) -> None:
    for name, topic in (("TweetsDeadLetters", stage.topic), ("Foreign", f"{stage.topic}-2")):
        stage.client("cloudwatch").put_metric_alarm(
            AlarmName=alarm(name),
            AlarmDescription=f"{name}: mend it, then `python -m bot redrive --stage {STAGE}`.",
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic],
        )
