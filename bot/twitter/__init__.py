"""X: signatures, the webhook's and the poller's intake, reply rules and texts, the client."""

from typing import Final

ACCOUNT: Final = "x-account-id"
"""The note of the bot's own account on X, which the poller learns and all read."""
