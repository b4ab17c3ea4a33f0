"""`/triage` and the buttons under its answers."""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final

from bot.cases import Case
from bot.errors import Refused
from bot.frozen import frozen
from bot.mutes import Mutes
from bot.ports import CaseStore, Clock
from bot.slack.looks import answers
from bot.slack.looks.blocks import JsonObject
from bot.slack.looks.cards import card_link
from bot.standing import Status
from bot.thresholds import Thresholds, changed, checked
from bot.triage import Desk
from bot.tweets import IDENTITY, Author
from bot.twitter.optouts import OptOuts
from bot.twitter.pause import Pause
from bot.verdicts import line_of

MOST_OPEN: Final = 1_000
"""Open cases that are looked through for a person's own."""
MOST_SEARCHED: Final = 5_000
"""The newest cases that are looked through for an author."""
_HANDLE: Final = re.compile(r"@?(\w{1,50})")
"""What is looked for as a handle: longer than X's, since those of files are anything."""


@frozen
class TriageCommand:
    """Answers what was typed after `/triage`; nobody but its caller sees it.

    `status` and `desk` are made when first asked for. Each method raises `Refused`, and what the
    store and the queues raise.
    """

    store: CaseStore
    status: Callable[[], Status]
    desk: Callable[[], Desk]
    pause: Pause
    thresholds: Thresholds
    mutes: Mutes
    opt_outs: OptOuts
    admins: frozenset[str]
    channel_url: Callable[[], str | None]
    clock: Clock

    def answer(self, words: str, who: str) -> JsonObject:
        """The answer to these words."""
        verb, rest = (*words.split(maxsplit=1), "", "")[:2]
        rest = rest.strip()
        verbs: Mapping[str, Callable[[], JsonObject]] = {
            "status": lambda: answers.status_answer(self.status()),
            "open": lambda: self._open(rest, who),
            "pause": lambda: self._pause(who),
            "resume": lambda: self._resume(who),
            "threshold": lambda: self._threshold(rest, who),
            "find": lambda: self.find(rest),
            "help": answers.triage_help,
        }
        return verbs.get(verb.lower(), lambda: answers.hint(verb))()

    def pressed(self, button: str, value: str, who: str) -> JsonObject:
        """What takes the place of the answer whose button was pressed."""
        now = self.clock()
        match button:
            case "threshold":
                self._admin(who)
                self.thresholds.choose(checked(value), who, now)
                return answers.said(f"From now on a tweet escalates at {value} or more.")
            case "leave":
                return answers.said("The threshold stays as it is.")
            case "unmute":
                self.mutes.unmute(_author(value))
                return answers.said(f"What {value} writes makes cards again.")
            case "opt in":
                self.opt_outs.remove(_author(value))
                return answers.said(f"The bot may answer {value} again.")
        raise Refused("That button is of another release: type the command once more.")

    def _open(self, rest: str, who: str) -> JsonObject:
        mine = rest.lower() == "mine"
        if rest and not mine:
            return answers.hint(f"open {rest}")
        found = self.store.open(MOST_OPEN)
        if mine:
            found = [case for case in found if case.assignee == who]
        return answers.open_answer(found, mine, self._link(), self.clock())

    def _pause(self, who: str) -> JsonObject:
        self._admin(who)
        self.pause.pause(who, self.clock())
        return answers.said(
            "Automatic replies are paused; what agents write is still sent. /triage resume lets "
            "them go."
        )

    def _resume(self, who: str) -> JsonObject:
        self._admin(who)
        self.pause.resume()
        return answers.said("Automatic replies are no longer paused.")

    def _threshold(self, rest: str, who: str) -> JsonObject:
        if not rest:
            return answers.status_answer(self.status())
        self._admin(who)
        if rest == "usual":
            self.thresholds.forget()
            return answers.said("The threshold is that of the settings, or the model's own, again.")
        value, desk = checked(rest), self.desk()
        found = changed(self.store.newest(), value, desk.rules, desk.unsure_margin)
        before = line_of(desk.classifier, desk.threshold())
        return answers.threshold_question(value, before, found)

    def find(self, asked: str, changed: Case | None = None) -> JsonObject:
        """The cases of a post or an author; `changed` is one that was changed a moment ago."""
        if not asked:
            return answers.said("Type an id or a handle behind it: /triage find @river_example")
        if asked.isdecimal() and IDENTITY.fullmatch(asked):
            found = list(self.store.get([asked]).values())
            return answers.found_answer(found, self._link(), None, None, None, self.clock())
        author = _author(asked)
        wrote = (case for case in islice(self.store.newest(), MOST_SEARCHED) if _by(case, author))
        found = list(islice(wrote, answers.MOST_FOUND))
        return answers.found_answer(
            # The list may not know it yet.
            [changed if changed and changed.id == case.id else case for case in found],
            self._link(),
            self.mutes.muted(author),
            self.opt_outs.opted_out(author),
            author.handle,
            self.clock(),
        )

    def _link(self) -> Callable[[Case], str | None]:
        url = self.channel_url()
        return lambda case: card_link(case, url)

    def _admin(self, who: str) -> None:
        if not self.admins:
            raise Refused(
                "Nobody may do that yet: whoever runs the bot sets SLACK_ADMINS to who may."
            )
        if who not in self.admins:
            raise Refused(
                f"Only those in SLACK_ADMINS may do that, and {who} is not among them: ask whoever "
                "runs the bot."
            )


def _author(handle: str) -> Author:
    """Raises `Refused` for what is none: a store may not take it as a name."""
    known = _HANDLE.fullmatch(handle)
    if not known:
        raise Refused(
            "That is neither an id nor a handle: type one of them behind it, such as "
            "/triage find @river_example"
        )
    return Author(handle=f"@{known[1]}")


def _by(case: Case, author: Author) -> bool:
    return bool(set(author.known_by) & set(case.tweet.author.known_by))
