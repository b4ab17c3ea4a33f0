"""What `doctor` looks at on a deployed stage besides what it looks at everywhere.

AWS API references: CloudFormation, "DescribeStacks"; CloudWatch, "DescribeAlarms"; SNS,
"ListSubscriptionsByTopic".
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import requests
from requests.exceptions import RequestException

from bot.errors import Misconfigured, Retryable
from bot.local.stages import stage
from bot.local.stages.secret_verbs import has
from bot.local.x_verbs import adding
from bot.settings import SECRETS
from bot.web.access import USER
from bot.wiring import Parts

Says = tuple[bool | None, str]
Check = Callable[[Parts], Says]

SECONDS: Final = 35.0
"""For an answer of the web address, a cold start included: it gives up after 30."""
ASKED: Final = "I am very angry"
_WAITS: Final[Mapping[str, str]] = {
    "x": "nothing is polled and answers wait",
    "slack": "cards wait and Slack's requests are turned away",
    "web": "the web address is closed",
}
_UNCONFIRMED: Final = "PendingConfirmation"
"""What SNS gives in place of the ARN of a subscription that was not confirmed."""


def checks(name: str) -> dict[str, Check]:
    """The checks of that stage, by what they look at; some take the place of the usual ones."""
    outputs = stage.addresses(name)
    return {
        "classifier": partial(_classifier, outputs),
        "slack address": partial(_slack_address, outputs),
        "x webhook": partial(_webhook, name, outputs),
        "web address": partial(_web, outputs),
        "alarms": partial(_alarms, name, outputs),
        "alarm mail": partial(_mail, outputs),
    }


def stack(name: str) -> Says:
    """How its last deployment ended."""
    status, called = stage.stack(name).status, stage.stack_name(name)
    if status.endswith("_IN_PROGRESS"):
        return None, f"{called} is being deployed ({status})."
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return True, f"{called} is deployed ({status})."
    return False, (
        f"The last deployment of {called} did not succeed ({status}), and what was there before "
        "may be at work: its events in the CloudFormation console say why; deploy it anew."
    )


def keys(secret_name: str, environment: Mapping[str, str]) -> tuple[dict[str, str], Says]:
    """The settings that a secret holds, and what is to be said of it. No value is said."""
    from bot.storage import secrets  # noqa: PLC0415

    secret, command = SECRETS[secret_name], f"`python -m bot secret set {secret_name}`"
    if secret.id not in environment:
        return {}, (False, f"The stage has no {secret.id}: deploy it anew.")
    try:
        contents = secrets.read(environment[secret.id])
    except Misconfigured as error:
        return {}, (False, f"{error} {command} writes it anew.")
    except Retryable as failure:
        return {}, (False, str(failure))
    held = {name: contents.values[name] for name in secret.names if has(contents.values, name)}
    missing = [name for name in secret.needed if name not in held]
    others = sorted(set(contents.values) - set(secret.names))
    unread = f" Not read from it: {', '.join(others)}." if others else ""
    if missing:
        lacks = f"{', '.join(missing)} missing, so {_WAITS[secret_name]}: {command}."
        return held, (False, f"{lacks}{unread}")
    return held, (True, f"All there, since {contents.since:%Y-%m-%d %H:%M} UTC.{unread}")


def _classifier(outputs: Mapping[str, str], parts: Parts) -> Says:
    if parts.settings.classifier == "sagemaker":
        from bot.local.doctor import classifier  # noqa: PLC0415

        return classifier(parts)
    by = "The functions judge by the model in their package, not by this machine's"
    address, password = outputs.get("WebAddress"), parts.settings.api_password
    if address is None or password is None:
        return None, f"{by}; what it is cannot be told without the web address and its password."
    try:
        answer = requests.post(
            f"{address.rstrip('/')}/classify",
            json={"texts": [ASKED]},
            auth=(USER, password),
            timeout=SECONDS,
        )
        answer.raise_for_status()
        verdict = answer.json()["verdicts"][0]
        told = f"model {verdict['model']}: «{ASKED}» has probability {verdict['probability']:.2f}"
    except (RequestException, LookupError, TypeError, ValueError) as error:
        return False, f"{by}, and {address} does not judge ({type(error).__name__}): see its log."
    return bool(verdict["escalate"]), f"{by}; {told}."


def _slack_address(outputs: Mapping[str, str], parts: Parts) -> Says:
    url = outputs.get("SlackEventsUrl")
    if url is None:
        return False, "The stack does not tell its SlackEventsUrl: deploy it anew."
    if parts.settings.slack is None:
        return None, f"{url}, once the keys are there (`python -m bot slack manifest`)."
    return None, (
        f"Slack is to call {url}: `python -m bot slack manifest` has it, and the app's page says "
        "whether it is verified."
    )


def _webhook(name: str, outputs: Mapping[str, str], parts: Parts) -> Says:
    url = outputs.get("XWebhookUrl")
    if url is None:
        return False, "The stack does not tell its XWebhookUrl: deploy it anew."
    if parts.settings.x_consumer_secret is None:
        return None, f"{url} is closed until X_CONSUMER_SECRET is set."
    if parts.x_app is None:
        return None, (
            f"Whether X has {url} registered cannot be told without X_BEARER_TOKEN: "
            "`python -m bot secret set x X_BEARER_TOKEN`."
        )
    hooks = parts.x_app.webhooks()
    own = [hook for hook in hooks if hook.url == url]
    if not own:
        others = f", only {', '.join(hook.url for hook in hooks)}" if hooks else ""
        return None, f"X has not registered {url}{others}: {adding(name)}."
    if not own[0].valid:
        return False, (
            f"X has found {url} to be invalid and delivers nothing there: "
            f"`python -m bot x webhook check {own[0].id}`."
        )
    return True, f"Registered and valid: {url}."


def _web(outputs: Mapping[str, str], parts: Parts) -> Says:
    address = outputs.get("WebAddress")
    if address is None:
        return False, "The stack does not tell its WebAddress: deploy it anew."
    try:
        requests.get(f"{address.rstrip('/')}/health", timeout=SECONDS).raise_for_status()
    except RequestException as error:
        return False, f"{address} does not answer as it should ({type(error).__name__})."
    if parts.settings.api_password is None:
        return False, f"{address} is closed to everybody: `python -m bot secret set web`."
    return True, (
        f"{address} asks for the password of user {USER}: `aws secretsmanager get-secret-value "
        f"--secret-id {outputs.get('WebSecretId')} --query SecretString --output text` shows it."
    )


def _alarms(name: str, outputs: Mapping[str, str], _parts: Parts) -> Says:
    topic = outputs.get("AlarmsTopicArn")
    alarms = [
        alarm
        for alarm in _all("cloudwatch", "describe_alarms", AlarmNamePrefix=stage.stack_name(name))
        if topic in alarm.get("AlarmActions", [])
    ]
    if not alarms:
        return False, "The stack has no alarms: deploy it anew."
    raised = [alarm for alarm in alarms if alarm["StateValue"] == "ALARM"]
    if not raised:
        return True, f"None of {len(alarms)} is raised."
    listed = " ".join(
        f"{alarm['AlarmName']}: {alarm.get('AlarmDescription', '')}" for alarm in raised
    )
    return False, f"{len(raised)} of {len(alarms)} raised: {' '.join(listed.split())}"


def _mail(outputs: Mapping[str, str], _parts: Parts) -> Says:
    topic = outputs.get("AlarmsTopicArn")
    if topic is None:
        return False, "The stack does not tell its AlarmsTopicArn: deploy it anew."
    found = list(_all("sns", "list_subscriptions_by_topic", TopicArn=topic))
    if not found:
        return None, "Nobody is told of an alarm: deploy with ALARM_EMAIL, or subscribe to it."
    waiting = [one["Endpoint"] for one in found if one["SubscriptionArn"] == _UNCONFIRMED]
    if waiting:
        return False, (
            f"{', '.join(waiting)} did not confirm yet, and hears of no alarm: AWS mailed a link."
        )
    return True, f"Alarms go to {', '.join(one['Endpoint'] for one in found)}."


def _all(service: str, operation: str, **asked: str) -> list[Any]:
    """What all pages of a list hold."""
    with stage.asking():
        pages = list(stage.client(service).get_paginator(operation).paginate(**asked))
    return [one for page in pages for name in _LISTS for one in page.get(name, [])]


_LISTS: Final = ("MetricAlarms", "CompositeAlarms", "Subscriptions")
