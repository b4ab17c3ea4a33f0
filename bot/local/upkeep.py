"""The verbs that look after what is stored; each returns its exit code, as in `commands`."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from bot import settings
from bot.errors import Refused
from bot.local.terminal import show
from bot.settings import Settings
from bot.wiring import Parts, now


def backup(arguments: Namespace, environment: Mapping[str, str]) -> int:
    """A copy of the whole state while the bot runs."""
    from bot.storage.backup import back_up  # noqa: PLC0415

    chosen = None if arguments.stage else settings.read(environment)
    if chosen is None or chosen.aws:
        raise Refused(
            "The cases lie in a table on AWS, which can be put back to any moment of the last "
            "weeks: see point-in-time recovery in its console."
        )
    target = arguments.file or _next_backup(chosen)
    size = back_up(chosen.database, target)
    row = {"file": str(target), "bytes": size}
    show(arguments, row, f"Wrote {target} ({size / 2**20:.1f} MB) and found it whole.")
    return 0


def _next_backup(chosen: Settings) -> Path:
    folder = chosen.data_dir / "backups"
    try:
        if chosen.database.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"{folder} cannot be made ({error.strerror}): name a file to write to."
        ) from None
    return folder / f"bot-{now():%Y%m%dT%H%M%SZ}.sqlite"


def erase(arguments: Namespace, environment: Mapping[str, str]) -> int:
    """Our copies of an author's posts, or of single ones, go."""
    if (arguments.author is None) == (not arguments.tweet_ids):
        raise Refused("Say either whose posts are to go (--author HANDLE), or which (TWEET_ID…).")
    parts = Parts(settings.read(environment))
    eraser = parts.eraser
    if arguments.author is None:
        done = eraser.posts(arguments.tweet_ids)
    else:
        done = eraser.author(arguments.author)
    if parts.settings.aws is None:
        parts.database.scrub()
    row = {**asdict(done), "queue_searched": parts.settings.aws is None}
    told = (
        f"Erased {done.cases} cases, took {done.queued} posts off the queue, and will not read "
        f"{done.unknown} that never came."
    )
    if parts.settings.aws:
        told += " Tweets that wait on SQS were not searched: repeat this once they are decided."
    show(arguments, row, told)
    return 1 if arguments.author is not None and not (done.cases or done.queued) else 0
