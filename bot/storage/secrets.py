"""Settings kept in AWS Secrets Manager: one JSON object, its keys named as the settings are.

Calls: AWS Secrets Manager API reference, "GetSecretValue" and "PutSecretValue".
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from bot.errors import Misconfigured, Retryable
from bot.frozen import frozen
from bot.storage import clients


@frozen
class Contents:
    """What a secret holds, and since when (UTC)."""

    values: Mapping[str, str]
    since: datetime


def read(secret_id: str, within: float | None = None) -> Contents:
    """What the secret holds; `within`: see `bot.storage.clients`.

    Raises `Misconfigured` where it is not a JSON object of strings, `Retryable` where it could
    not be read.
    """
    try:
        answer = clients.secretsmanager(within).get_secret_value(SecretId=secret_id)
    except (BotoCoreError, ClientError) as error:
        said = f"The secret {secret_id} could not be read: {error}"
        raise Retryable(said).of("storage") from None
    try:
        values = json.loads(answer["SecretString"])
        held = {str(name): str(value) for name, value in values.items() if value is not None}
    except (KeyError, ValueError, AttributeError):
        raise Misconfigured(
            [f'The secret {secret_id} must be a JSON object such as {{"NAME": "value"}}.']
        ) from None
    return Contents(held, answer["CreatedDate"].astimezone(UTC))


def write(secret_id: str, values: Mapping[str, str]) -> None:
    """Makes the secret hold these values and no others. Raises `Retryable` where it could not."""
    try:
        clients.secretsmanager().put_secret_value(
            SecretId=secret_id, SecretString=json.dumps(dict(values))
        )
    except (BotoCoreError, ClientError) as error:
        said = f"The secret {secret_id} could not be written: {error}"
        raise Retryable(said).of("storage") from None
