"""The laptop's web server, running on a free port."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from waitress import wasyncore

from bot.local.http import Application, listen


@contextmanager
def serving(application: Application) -> Iterator[str]:
    """The server's `host:port`, while it runs."""
    server = listen(application, 0)
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield f"127.0.0.1:{server.effective_port}"
    finally:
        # By the server's own loop, which ends when nothing is open any more.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join()
        server.task_dispatcher.shutdown()
