"""What is asked to be forgotten: all posts of an author, or single ones."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from bot import delivery
from bot.cases import Case, tombstone
from bot.errors import Refused
from bot.frozen import frozen
from bot.ports import Backlog, CaseStore, Clock, Queue
from bot.triage import arrival_of, erase
from bot.tweets import IDENTITY, Author, Tweet


@frozen
class Erasure:
    """What an erasure did, in numbers of posts.

    `cases` lost their content, `queued` were taken off the queue, `unknown` ones had never come.
    The latter two now have an empty case, so that they cannot come (back).
    """

    cases: int
    queued: int
    unknown: int


@frozen
class Eraser:
    """Erases our copies of posts: from cases, their cards, and the queue of tweets.

    `backlog` is None where queued tweets cannot be searched.
    """

    store: CaseStore
    workers: Mapping[delivery.Worker, Queue]
    backlog: Backlog | None
    clock: Clock

    def author(self, who: str) -> Erasure:
        """Erases what this author wrote: `who` is a handle, with or without its @, or an id.

        The posts that come later are none of its business. Raises `Refused` where `who` is
        empty, and what the store and the queues raise; may then be repeated.
        """
        handle = who.strip().removeprefix("@").casefold()
        if not handle:
            raise Refused("An author is a handle such as @river_example, or an id.")

        def wrote(author: Author) -> bool:
            own = (author.handle or "").removeprefix("@").casefold()
            return handle == own or author.id == who.strip()

        def stored() -> Iterator[str]:
            for case in self.store.newest():
                if wrote(case.tweet.author):
                    yield case.id

        waiting = self._taken_out(lambda tweet: wrote(tweet.author))
        return self._erased(stored(), waiting)

    def posts(self, ids: Sequence[str]) -> Erasure:
        """Erases these posts; an edit's id stands for the whole post.

        Raises `Refused` where one of them is no id, and what the store and the queues raise; may
        then be repeated.
        """
        for post_id in ids:
            if not IDENTITY.fullmatch(post_id):
                raise Refused(
                    f"«{post_id:.40}» is no id of a post: `cases` lists them, and an author's "
                    "posts go with --author."
                )
        wanted = frozenset(ids)
        waiting = self._taken_out(lambda tweet: not wanted.isdisjoint((tweet.id, tweet.root_id)))
        return self._erased(dict.fromkeys(ids), waiting)

    def _taken_out(self, meant: Callable[[Tweet], bool]) -> frozenset[str]:
        """Root ids of the posts taken off the queue."""
        if self.backlog is None:
            return frozenset()

        def concerned(body: str) -> bool:
            post = _post(body)
            return post is not None and meant(post)

        posts = map(_post, self.backlog.take_out(concerned))
        return frozenset(post.root_id for post in posts if post)

    def _erased(self, ids: Iterable[str], waiting: frozenset[str]) -> Erasure:
        """Those that waited too: whoever has one in flight must find it erased.

        They come first, before anything else is read: they are off the queue, and a repetition
        after a failure would not know of them any more.
        """
        now = self.clock()
        emptied: dict[str, Case] = {}
        for post_id in chain(waiting, ids):
            case = erase(post_id, self.store, now)
            delivery.enqueue([case], self.workers)
            emptied.setdefault(case.id, case)
        # What had been erased before tells of an earlier moment.
        anew = {case_id for case_id, case in emptied.items() if case.history[-1].at == now}
        stones = {case_id for case_id in anew if emptied[case_id] == tombstone(case_id, now)}
        return Erasure(len(anew - stones), len(waiting), len(stones - waiting))


def _post(body: str) -> Tweet | None:
    """The post a message carries; None where it carries a deletion or nobody can read it."""
    try:
        what = arrival_of(body).what
    except Refused:
        return None
    return what if isinstance(what, Tweet) else None
