"""The Home tab of one person, put together and published."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from bot.cases import Case
from bot.digests import Digests
from bot.frozen import frozen
from bot.hours import Hours
from bot.ports import CaseStore, Clock
from bot.slack.client import asked
from bot.slack.looks.cards import card_link
from bot.slack.looks.home import home_view
from bot.slack.outlets import Channel
from bot.twitter.pause import Pause

MOST_COUNTED: Final = 5_000
"""Of today's cases: somebody looks at an empty tab meanwhile."""
MOST: Final = 500
"""Open cases that are looked through for a person's own."""


@frozen
class HomeTab:
    """Published whenever somebody opens it or acts on it: doing it twice is harmless."""

    store: CaseStore
    digests: Digests
    channel: Channel
    channel_url: Callable[[], str | None]
    hours: Hours
    pause: Pause
    admins: frozenset[str]
    clock: Clock

    def publish(self, who: str, changed: Case | None = None, said: str | None = None) -> None:
        """Draws that person's tab; `changed` is the case that was changed a moment ago.

        `said` is a sentence for whoever pressed something there: it stands on top this once.
        Raises what the store raises and the three failures.
        """
        now = self.clock()
        waiting = self.store.open(MOST)
        if changed:  # which the store's list may not know yet (`CaseStore.open`)
            others = [case for case in waiting if case.id != changed.id]
            waiting = [*others, changed] if changed.open else others
        today = self.digests.numbers(
            self.hours.day_hour(now, 0), now + timedelta(seconds=1), MOST_COUNTED
        )
        url = self.channel_url()

        def link(case: Case) -> str | None:
            return card_link(case, url)

        view = home_view(
            [case for case in waiting if case.assignee == who],
            [case for case in waiting if case.assignee != who],
            today,
            now=now,
            link=link,
            admin=who in self.admins,
            paused=self.pause.paused(),
            said=said,
        )
        asked(self.channel.client.views_publish, user_id=who, view=view)
