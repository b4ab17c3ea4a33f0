"""The command line: `python -m bot VERB`."""

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dotenv import load_dotenv

from bot.errors import Conflict, Failure, Misconfigured, Refused
from bot.learning.verbs import evaluate, publish, train
from bot.local import (
    commands,
    costs,
    drift_verb,
    label_verbs,
    rejudge_verb,
    replies_verbs,
    slack_verbs,
    smoke,
    upkeep,
    x_verbs,
)
from bot.local.stages import deploy_verbs, secret_verbs
from bot.local.stages.staged import Work, add_options, on_stage
from bot.local.terminal import printable
from bot.observability import readable
from bot.settings import HOUSE, SECRETS

Parsers = Callable[..., argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    """The verbs and their arguments."""
    whole = argparse.ArgumentParser(
        prog="python -m bot",
        description="Tweets that need a human go to Slack, the rest gets an answer.",
    )
    whole.set_defaults(work=commands.begin)
    verbs = whole.add_subparsers(dest="verb", metavar="VERB")

    verb, staged = partial(_verb, verbs.add_parser), partial(_staged, verbs.add_parser)
    verb("run", commands.run, "the whole bot on this machine")
    one = verb(
        "classify", commands.classify, "verdicts of texts, or of the lines of standard input"
    )
    one.add_argument("text", nargs="*", metavar="TEXT")
    one.add_argument("--model", type=Path, metavar="FILE", help="judge by this model archive")
    one = staged("ingest", commands.ingest, "a file of tweets through the whole pipeline")
    one.add_argument(
        "file", type=Path, metavar="FILE", help="CSV with a text column, or JSON lines"
    )
    one.add_argument("--reply", action="store_true", help="let the bot answer them in public")
    one = staged("cases", commands.show_cases, "cases, newest first")
    one.add_argument("--open", action="store_true", help="only those that wait for a person")
    one = staged("explain", commands.explain, "one decision, step by step")
    one.add_argument("tweet_id", metavar="TWEET_ID")
    one = verb("backup", upkeep.backup, "a copy of everything stored, while the bot runs")
    one.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="by default a new one in .data/backups"
    )
    one.add_argument("--stage", help=argparse.SUPPRESS)  # to be told what does it there
    one = staged("erase", upkeep.erase, "our copies of an author's posts, or of single ones, go")
    one.add_argument("tweet_ids", nargs="*", metavar="TWEET_ID")
    one.add_argument("--author", metavar="HANDLE", help="whose posts are to go: a handle or an id")
    one = staged("redrive", commands.redrive, "dead letters back onto their queues, once mended")
    one.add_argument("queues", nargs="*", metavar="QUEUE", help="tweets, cards…; all unless named")
    staged("cost", costs.cost, "what X took today and this month, and what its budgets leave")
    one = staged("evaluate", evaluate.evaluate, "how well a model judges labelled posts")
    evaluate.add_options(one)
    one = staged("rejudge", rejudge_verb.rejudge, "past cases under another model or threshold")
    rejudge_verb.add_options(one)
    one = staged("drift", drift_verb.drift, "week by week, whether the model still fits")
    drift_verb.add_options(one)
    one = staged("publish", publish.publish, "a model into service, where it is the better one")
    publish.add_options(one)
    staged("doctor", commands.doctor, "every setting and neighbour checked, and how to mend it")
    one = staged(
        "smoke",
        smoke.smoke,
        "one signed test tweet through the running bot to its card; then it is taken away",
        ("x", "slack"),
    )
    one.add_argument(
        "--within", type=float, default=60, metavar="SECONDS", help="until its card; 60 unsaid"
    )
    train.add_options(staged("train", train.train, "a model from labelled posts"))
    labels = verbs.add_parser("labels", help="what people said of posts, and whom to ask next")
    _add_labels(labels)
    _add_replies(verbs.add_parser("replies", help="the bot's answers checked, tried, paused"))
    _add_x(verbs.add_parser("x", help="the webhook on X, and what X tells it"))
    _add_slack(verbs.add_parser("slack", help="the manifest from which Slack makes the app"))
    _add_secret(verbs.add_parser("secret", help="the keys of a deployed stage"))
    _add_deploying(verbs.add_parser)
    return whole


def _verb(add: Parsers, name: str, work: object, says: str) -> argparse.ArgumentParser:
    added = add(name, help=says, description=says)
    added.set_defaults(work=work)
    added.add_argument("--json", action="store_true", help="print one JSON object a line")
    return added


def _staged(
    add: Parsers, name: str, work: Work, says: str, opened: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """A verb that works on a stage too; `opened` are the secrets it needs the contents of there."""
    added = _verb(add, name, on_stage(work, opened), says)
    add_options(added)
    return added


def _add_labels(labels: argparse.ArgumentParser) -> None:
    verbs = labels.add_subparsers(dest="labels_verb", metavar="VERB", required=True)
    label_verbs.add_verbs(partial(_staged, verbs.add_parser))


def _add_replies(replies: argparse.ArgumentParser) -> None:
    verbs = replies.add_subparsers(dest="replies_verb", metavar="VERB", required=True)
    verb = partial(_staged, verbs.add_parser)
    verb("check", replies_verbs.check, "the texts, or everything that is wrong with them")
    one = verb("try", replies_verbs.attempt, "what a post would be answered, or why it would not")
    one.add_argument("text", metavar="TEXT")
    one.add_argument("--handle", metavar="HANDLE", help="its author's handle")
    one.add_argument("--name", metavar="NAME", help="its author's name")
    one.add_argument("--lang", metavar="CODE", help="its language, such as en")
    verb("pause", replies_verbs.pause, "no automatic reply goes out, those queued included")
    verb("resume", replies_verbs.resume, "automatic replies go out again")


def _add_x(x: argparse.ArgumentParser) -> None:
    verbs = x.add_subparsers(dest="x_verb", metavar="VERB", required=True)
    webhook = verbs.add_parser("webhook", help="where X reaches the bot")
    hooks = webhook.add_subparsers(dest="webhook_verb", metavar="VERB", required=True)
    verb = partial(_staged, verbs.add_parser, opened=("x",))
    hook = partial(_staged, hooks.add_parser, opened=("x",))
    one = hook("add", x_verbs.add_webhook, "registers the address at which X reaches the bot")
    one.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help=f"https://HOST, which becomes …{x_verbs.PATH}; that of the stage unsaid",
    )
    hook("list", x_verbs.list_webhooks, "every webhook of the app")
    one = hook("check", x_verbs.check_webhook, "X checks the address anew, and may find it valid")
    one.add_argument("id", nargs="?", metavar="ID", help="not needed where there is one webhook")
    one = hook("remove", x_verbs.remove_webhook, "X delivers nothing to this webhook any more")
    one.add_argument("id", metavar="ID")
    one = hook("replay", x_verbs.replay, "X delivers again what it had to tell lately")
    one.add_argument("id", nargs="?", metavar="ID", help="not needed where there is one webhook")
    one.add_argument(
        "--hours", type=int, default=x_verbs.MOST_HOURS, metavar="N", help="1 to 24, and 24 unsaid"
    )
    one = verb("subscribe", x_verbs.subscribe, "X tells the webhook what concerns the account")
    one.add_argument("--webhook", metavar="ID", help="not needed where there is one webhook")
    verb("subscriptions", x_verbs.list_subscriptions, "every subscription of the app")
    one = verb("unsubscribe", x_verbs.unsubscribe, "X tells no more of these")
    one.add_argument("ids", nargs="*", metavar="ID")
    one.add_argument("--all", action="store_true", help="all that `subscribe` makes")


def _add_slack(slack: argparse.ArgumentParser) -> None:
    verbs = slack.add_subparsers(dest="slack_verb", metavar="VERB", required=True)
    one = _verb(
        verbs.add_parser,
        "manifest",
        slack_verbs.manifest,
        "the app's manifest, to paste where Slack makes apps",
    )
    add_options(one)
    one.add_argument("--url", metavar="URL", help="https://HOST, where Slack reaches the bot")
    one.add_argument("--socket", action="store_true", help="no address: over Socket Mode")
    one.add_argument("-o", "--output", type=Path, metavar="FILE", help="slack-manifest.yml, say")


def _add_secret(secret: argparse.ArgumentParser) -> None:
    verbs = secret.add_subparsers(dest="secret_verb", metavar="VERB", required=True)
    verb = partial(_staged, verbs.add_parser)
    one = verb("set", secret_verbs.fill, "keys into one of the stage's secrets, asked for unseen")
    one.add_argument("secret", choices=SECRETS, help="whose keys")
    one.add_argument("names", nargs="*", metavar="NAME", help="which; all that are missing unsaid")
    verb("list", secret_verbs.show_names, "what the stage's secrets hold, by name, and since when")


def _add_deploying(add: Parsers) -> None:
    deploy = _verb(add, "deploy", deploy_verbs.deploy, "a stage onto AWS (`make deploy`)")
    back = _verb(add, "rollback", deploy_verbs.rollback, "a stage back to its release before")
    back.add_argument("--to", type=int, metavar="TIMESTAMP", help="to the release of that time")
    remove = _verb(add, "remove", deploy_verbs.remove, "a stage off AWS (`make remove`)")
    for one in (deploy, back):
        one.add_argument("--yes", action="store_true", help="ask nothing")
    for one in (deploy, back, remove):
        one.add_argument("--stage", default="dev", metavar="NAME", help="which; dev unsaid")


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
    logging.basicConfig(level=logging.WARNING, handlers=[readable.handler()])
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
