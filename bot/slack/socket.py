"""Socket Mode: commands and buttons without a public address, for a laptop or a small server.

Slack API documentation, "Using Socket Mode"; the app-level token needs `connections:write`.
"""

import logging
import threading
from typing import Final

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError

log = logging.getLogger(__name__)

AGAIN: Final = 30.0
"""Seconds between tries to connect; once connected, the client itself stays so."""


class SocketMode:
    """A connection kept up in the background: a Slack that is down delays nothing else."""

    def __init__(self, app: App, app_token: str) -> None:
        self._handler = SocketModeHandler(app, app_token, logger=log)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._connect, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the connection."""
        self._stop.set()
        self._thread.join()
        self._handler.close()  # type: ignore[no-untyped-call]

    def _connect(self) -> None:
        while not self._stop.is_set():
            try:
                self._handler.connect()  # type: ignore[no-untyped-call]
            except SlackApiError as error:
                log.error(  # noqa: TRY400
                    "Slack refuses SLACK_APP_TOKEN (%s): it must be an app-level token with "
                    "connections:write.",
                    error.response.get("error"),
                )
            except Exception as error:  # noqa: BLE001  whatever it is, Slack may be back later
                log.warning("Socket Mode is not connected yet: %s", type(error).__name__)
            else:
                return
            self._stop.wait(AGAIN)
