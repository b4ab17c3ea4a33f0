"""Settings kept in AWS Secrets Manager: one JSON object, its keys named as the settings are."""

import json

from botocore.exceptions import BotoCoreError, ClientError

from bot.errors import Misconfigured, Retryable
from bot.storage import clients


def read(secret_id: str) -> dict[str, str]:
    """The settings that the secret holds.

    Raises `Misconfigured` where it is not a JSON object of strings, `Retryable` where it could
    not be read.
    """
    try:
        answer = clients.secretsmanager().get_secret_value(SecretId=secret_id)
    except (BotoCoreError, ClientError) as error:
        raise Retryable(f"The secret {secret_id} could not be read: {error}") from None
    try:
        values = json.loads(answer["SecretString"])
        return {str(name): str(value) for name, value in values.items()}
    except (KeyError, ValueError, AttributeError):
        raise Misconfigured(
            [f'The secret {secret_id} must be a JSON object such as {{"NAME": "value"}}.']
        ) from None
