"""X API v2 as a client for one account sees it. Routes and parameters: docs.x.com/x-api."""
# ruff: noqa: S107 - secrets of tests

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.standins import x_answers, x_events
from tests.standins.oauth1 import Keys
from tests.standins.server import Answer, Fault, Request, Standin, answer_json
from tests.standins.x_door import Door
from tests.standins.x_posts import HANDLE, Kind, Post, User, snowflake
from tests.standins.x_webhooks import Webhooks


class XStandin(Standin):
    """One account on X: its own posts, and what others wrote to it."""

    def __init__(
        self,
        account_id: str = "1001",
        handle: str = "HarborSupport",
        *,
        consumer_key: str = "test-consumer-key",
        consumer_secret: str = "test-consumer-secret",
        access_token: str = "1001-test-access-token",
        access_token_secret: str = "test-access-token-secret",
        bearer_token: str = "test-bearer-token",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.account = User(account_id, handle)
        self.keys = Keys(consumer_key, consumer_secret, access_token, access_token_secret)
        self.bearer_token = bearer_token
        self.hidden: set[str] = set()
        self.withheld: set[str] = set()
        self._clock = clock
        self._door = Door(self.keys, bearer_token, clock)
        self._users = {handle.lower(): self.account}
        self._posts: dict[str, Post] = {}
        self._typed: set[str] = set()
        self._count = count(1)
        self.webhooks = Webhooks(consumer_secret, self.account.id, clock, self.next_id)
        self._open_routes()

    def _open_routes(self) -> None:
        guard = self._door.guard
        self.route("GET", "/2/users/me", guard("me", self._me, "account"))
        self.route("GET", "/2/users/{id}/mentions", guard("mentions", self._mentions))
        self.route("GET", "/2/users/{id}/tweets", guard("posts", self._own))
        self.route("GET", "/2/tweets", guard("lookup", self._lookup))
        self.route("POST", "/2/tweets", guard("create", self._create, "account"))
        for method, path, action, name, who in self.webhooks.routes():
            self.route(method, path, guard(name, action, who))

    # What a test arranges and looks at.

    @property
    def limits(self) -> dict[str, int]:
        """Calls in fifteen minutes, by the names in `x_door.LIMITS`: writable."""
        return self._door.limits

    @property
    def access_level(self) -> str:
        """What the account's keys allow: `read-write`, or `read`, with which nothing is posted."""
        return self._door.access_level

    @access_level.setter
    def access_level(self, level: str) -> None:
        self._door.access_level = level

    @property
    def posts(self) -> list[Post]:
        """The account's own posts, oldest first."""
        with self.lock:
            return [post for post in self._posts.values() if post.author == self.account]

    def replies_to(self, post_id: str) -> list[Post]:
        """The account's public replies to a post."""
        return [post for post in self.posts if post.about == post_id]

    def add_mention(
        self,
        text: str,
        *,
        author: str | User = "river_example",
        id: str = "",  # noqa: A002 - X's word
        created_at: datetime | None = None,
        lang: str = "en",
        kind: Kind = "mention",
        about: str = "",
        edit_of: str = "",
        sensitive: bool = False,
        media: tuple[str, ...] = (),
    ) -> Post:
        """Someone writes to the account; a `mention` names it even where `text` does not.

        `about` is the post that a reply, quote or retweet refers to. An old `created_at` makes
        a post that X indexes late: its id is old, and it was not there before.
        """
        with self.lock:
            if kind == "mention" and self.account not in self._named(text):
                text = f"@{self.account.username} {text}"
            writer = self.user(author) if isinstance(author, str) else author
            at = created_at or self._clock()
            post = Post(id or self.next_id(at), writer, text, at, lang, kind, about)
            return self._add(replace(post, sensitive=sensitive, media=media), edit_of)

    def delete(self, post_id: str) -> None:
        """The post is gone, whoever wrote it."""
        with self.lock:
            del self._posts[post_id]

    def refuse_next(
        self,
        status: int,
        detail: str = "",
        *,
        title: str = "Forbidden",
        problem: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        where: str = "POST /2/tweets",
    ) -> None:
        """The next such call is refused in X's words, and nothing of it done.

        An answer that is lost, or is no JSON, is a `Fault` to append to `faults`.
        """
        body = {"title": title, "detail": detail, "type": problem, "status": status}
        self.faults.append(Fault(status=status, body=body, headers=headers or {}, where=where))

    def tell(self, post: Post, kind: str = "post.mention.create") -> list[int]:
        """Delivers the event of `post` to the webhooks subscribed to it; returns their statuses.

        The event counts as of the time of the post, and can be replayed.
        """
        event = json.dumps(self.event(post, kind)).encode()
        return self.webhooks.tell(kind, event, post.created_at)

    def user(self, handle: str, followers: int = 12) -> User:
        """The account with that handle; its id follows from the handle."""
        return self._users.setdefault(handle.lower(), User.named(handle, followers))

    def next_id(self, at: datetime | None = None) -> str:
        """An id that no post has, as X would give it at that time."""
        return snowflake(at or self._clock(), next(self._count))

    def event(self, post: Post, kind: str = "post.mention.create") -> dict[str, Any]:
        """The webhook event that tells of `post`; each call makes a new `event_uuid`."""
        return x_events.event(post, kind, self.account, self.next_id())

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers that X sends with a webhook's body."""
        return x_events.signed(self.keys.consumer_secret, body)

    # What the service does.

    def _me(self, request: Request) -> Answer:
        return answer_json({"data": x_answers.user(self.account, request)})

    def _mentions(self, request: Request) -> Answer:
        return x_answers.page(
            (post for post in self._visible(request) if self.account in post.mentioned), request
        )

    def _own(self, request: Request) -> Answer:
        return x_answers.page(
            (post for post in self._visible(request) if post.author == self.account), request
        )

    def _visible(self, request: Request) -> list[Post]:
        """What timelines show: `hidden` posts are there, but not indexed yet."""
        if request.parts["id"] != self.account.id:
            return []
        return [post for post in self._posts.values() if post.id not in self.hidden]

    def _lookup(self, request: Request) -> Answer:
        ids = request.queries().get("ids", "").split(",")
        shown = [i for i in ids if i in self._posts and i not in self.withheld]
        content = x_answers.posts([self._posts[i] for i in shown], request)
        errors = [self._unseen(i) for i in ids if i not in shown]
        return answer_json(content | ({"errors": errors} if errors else {}))

    def _unseen(self, post_id: str) -> dict[str, str]:
        there = post_id in self._posts
        return x_answers.withheld(post_id) if there else x_answers.missing(post_id)

    def _create(self, request: Request) -> Answer:
        asked = request.json()
        about = asked.get("reply", {}).get("in_reply_to_tweet_id", "")
        refused = self._refused(asked["text"], about)
        if refused:
            return refused
        self._typed.add(asked["text"])
        shown, at = self._shown(asked["text"], about), self._clock()
        kind: Kind = "reply" if about else "post"
        post = self._add(Post(self.next_id(at), self.account, shown, at, "en", kind, about))
        created = {"edit_history_tweet_ids": [post.id], "id": post.id, "text": post.wire()["text"]}
        return answer_json({"data": created}, 201)

    def _shown(self, text: str, about: str) -> str:
        """X puts the handle of the one it answers before a reply's text."""
        target = self._posts.get(about)
        return f"@{target.author.username} {text}" if target else text

    def _refused(self, text: str, about: str) -> Answer | None:
        if self.access_level == "read":
            problem = x_answers.PROBLEMS + "oauth1-permissions"
            return x_answers.refusal(403, "Forbidden", x_answers.MAY_NOT_WRITE, problem)
        if text in self._typed:
            return x_answers.refusal(403, "Forbidden", x_answers.DUPLICATE)
        if not about:
            return None
        target = self._posts.get(about)
        if target is None or about in self.withheld:
            return x_answers.refusal(403, "Forbidden", x_answers.GONE)
        engaged = {self.account} & {target.author, *target.mentioned}
        if engaged or target.kind == "quote":
            return None
        problem = "https://api.x.com/2/problems/not-authorized-for-resource"
        return x_answers.refusal(403, "Forbidden", x_answers.NOT_MENTIONED, problem)

    def _add(self, post: Post, edit_of: str = "") -> Post:
        target, edited = self._posts.get(post.about), self._posts.get(edit_of)
        known = replace(
            post,
            about_user=target.author.id if target else "",
            root_id=(edited.root_id or edited.id) if edited else "",
            mentioned=self._named(post.text),
        )
        self._posts[post.id] = known
        return known

    def _named(self, text: str) -> tuple[User, ...]:
        return tuple(self.user(handle) for handle in HANDLE.findall(text))
