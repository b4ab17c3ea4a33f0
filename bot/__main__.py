"""The command line: `python -m bot VERB`."""

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from dotenv import load_dotenv

from bot.errors import Conflict, Failure, Misconfigured, Refused
from bot.local import commands, upkeep
from bot.local.terminal import printable
from bot.settings import HOUSE


def parser() -> argparse.ArgumentParser:
    """The verbs and their arguments."""
    whole = argparse.ArgumentParser(
        prog="python -m bot",
        description="Tweets that need a human go to Slack, the rest gets an answer.",
    )
    whole.set_defaults(work=commands.begin)
    verbs = whole.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, work: object, says: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=says, description=says)
        added.set_defaults(work=work)
        added.add_argument("--json", action="store_true", help="print one JSON object a line")
        return added

    verb("run", commands.run, "the whole bot on this machine")
    one = verb(
        "classify", commands.classify, "verdicts of texts, or of the lines of standard input"
    )
    one.add_argument("text", nargs="*", metavar="TEXT")
    one.add_argument("--model", type=Path, metavar="FILE", help="judge by this model archive")
    one = verb("ingest", commands.ingest, "a file of tweets through the whole pipeline")
    one.add_argument(
        "file", type=Path, metavar="FILE", help="CSV with a text column, or JSON lines"
    )
    one.add_argument("--reply", action="store_true", help="let the bot answer them in public")
    one = verb("cases", commands.show_cases, "cases, newest first")
    one.add_argument("--open", action="store_true", help="only those that wait for a person")
    one = verb("explain", commands.explain, "one decision, step by step")
    one.add_argument("tweet_id", metavar="TWEET_ID")
    one = verb("backup", upkeep.backup, "a copy of everything stored, while the bot runs")
    one.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="by default a new one in .data/backups"
    )
    one = verb("erase", upkeep.erase, "our copies of an author's posts, or of single ones, go")
    one.add_argument("tweet_ids", nargs="*", metavar="TWEET_ID")
    one.add_argument("--author", metavar="HANDLE", help="whose posts are to go: a handle or an id")
    verb("doctor", commands.doctor, "every setting and neighbour checked, and how to mend it")
    one = verb("train", commands.train, "a model from labelled tweets")
    one.add_argument("data", type=Path, metavar="DATA.csv", help="columns text and escalate")
    one.add_argument("--output", type=Path, required=True, metavar="model.tar.gz")
    one.add_argument("--name", default="own", help="what verdicts call the model")
    return whole


def main(given: Sequence[str] | None = None) -> int:
    """Runs a verb and returns its exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # one odd byte must not end the rest
    arguments = parser().parse_args(given)
    try:
        load_dotenv(HOUSE / ".env")  # into the process, for boto3 reads its own settings there
    except (UnicodeDecodeError, ValueError):
        print(f"{HOUSE / '.env'} is not UTF-8 text: save it as such.", file=sys.stderr)
        return 2
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("bot").setLevel(logging.INFO)
    try:
        code: int = arguments.work(arguments, dict(os.environ))
        if sys.stdout:
            sys.stdout.flush()  # what cannot be written must fail here, not at exit
    except Misconfigured as error:
        return _refused(*error.problems)
    except (Refused, Failure, Conflict) as error:
        return _refused(str(error))
    except OSError as error:
        # What is still to be written would fail once more, and louder, at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever closed a pipe on us has read enough.
        enough = isinstance(error, BrokenPipeError)
        return 0 if enough else _refused(f"The system refused to go on: {error.strerror}.")
    except KeyboardInterrupt:
        return 130
    return code


def _refused(*sentences: str) -> int:
    print(*map(printable, sentences), sep="\n", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
