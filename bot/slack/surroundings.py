"""What a card shows beside its case, read from the store."""

import logging
from collections.abc import Callable, Iterable
from typing import Final

from bot import conversations
from bot.cases import Case
from bot.errors import Refused
from bot.frozen import frozen
from bot.notices import Incident
from bot.ports import CaseStore
from bot.slack.looks.cards import Around
from bot.tweets import order

log = logging.getLogger(__name__)

MOST_EARLIER: Final = 3
MOST_MEMBERS: Final = 50
"""Of what an incident collected: enough for its examples and top words."""


@frozen
class Surroundings:
    """Reads what belongs to a case; a record that is damaged is left out."""

    store: CaseStore
    channel_url: Callable[[], str | None]

    def of(self, case: Case) -> Around:
        """What its card shows beside it. Raises what the store raises."""
        if isinstance(case.notice, Incident):
            members = self._read(reversed(case.notice.cases[-MOST_MEMBERS:]))
            return Around(members=tuple(members), channel_url=self.channel_url())
        if case.notice:
            return Around()
        found = {one.id: one for one in self._read(_named(case))}
        head = found.get(case.thread or "")
        earlier = () if head else self._earlier(case)
        return Around(
            head=head,
            incident=found.get(case.incident or ""),
            earlier=earlier,
            channel_url=self.channel_url() if earlier else None,
        )

    def _earlier(self, case: Case) -> tuple[Case, ...]:
        """Earlier posts of its conversation that we know; with a head they are in its thread.

        Noted before their texts are read: one that is erased meanwhile is not quoted.
        """
        told = self._told_before(case)
        conversations.shows(self.store, case, told)
        return tuple(self._told_before(case)) if told else ()

    def _told_before(self, case: Case) -> list[Case]:
        tweet, name = case.tweet, conversations.name(case.tweet)
        talk = conversations.from_json(self.store.note(name) if name else None)
        ids = {tweet.conversation_id, tweet.in_reply_to, tweet.quoted_id, talk.answered, talk.head}
        told = [
            one
            for one in self._read(ids - {None, case.id, tweet.id})
            if not one.erased and order(one.id) < order(case.id)
        ]
        return sorted(told, key=lambda one: order(one.id))[-MOST_EARLIER:]

    def _read(self, ids: Iterable[str | None]) -> list[Case]:
        wanted = [one for one in ids if one]
        if not wanted:
            return []
        try:
            found = self.store.get(wanted)
            return [found[one] for one in wanted if one in found]
        except Refused:  # one of them is damaged: this post must be seen all the same
            return [case for one in wanted if (case := self._one(one))]

    def _one(self, case_id: str) -> Case | None:
        try:
            return self.store.get([case_id]).get(case_id)
        except Refused as refusal:
            log.error("Case %s cannot be read: %s", case_id, refusal)  # noqa: TRY400
            return None


def _named(case: Case) -> list[str]:
    return [one for one in (case.thread, case.incident) if one]
