"""Errors and pages in the words of X API v2.

Shapes: docs.x.com/x-api/fundamentals (response codes, pagination, rate limits) and answers
recorded from the live service. X documents no texts of refusals: those here are what bots
reported in 2026.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.standins.server import Answer, Request, answer_json
from tests.standins.x_posts import Post, User

LATEST = 800  # a mentions timeline reaches no further back
PROBLEMS = "https://api.twitter.com/2/problems/"
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
GONE = "You attempted to reply to a Tweet that is deleted or not visible to you."
NOT_MENTIONED = "You can only reply to or quote posts where you are mentioned or are the author."
RESTRICTED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise "
    "engaged by the author of the post you are replying to."
)
MAY_NOT_WRITE = (
    "Your client app is not configured with the appropriate oauth1 app permissions for this "
    "endpoint."
)
APP_ONLY = "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint."
ACCOUNT_ONLY = "Authenticating with OAuth 1.0a User Context is forbidden for this endpoint."


def refusal(status: int, title: str, detail: str, problem: str = "about:blank") -> Answer:
    """An error as X words it."""
    content = {"title": title, "detail": detail, "type": problem, "status": status}
    return answer_json(content, status)


def invalid(name: str, value: str, why: str) -> Answer:
    """What X says of a parameter it cannot use."""
    message = f"The `{name}` query parameter value [{value}] {why}"
    content = {
        "errors": [{"parameters": {name: [value]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
    }
    return answer_json(content, 400)


def missing(post_id: str) -> dict[str, str]:
    """The error that a 200 carries for a post that is not there."""
    return {
        "value": post_id,
        "detail": f"Could not find tweet with ids: [{post_id}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "ids",
        "resource_id": post_id,
        "type": PROBLEMS + "resource-not-found",
    }


def withheld(post_id: str) -> dict[str, str]:
    """The error that a 200 carries for a post that the account may not see."""
    return missing(post_id) | {
        "detail": f"Sorry, you are not authorized to see the Tweet with ids: [{post_id}].",
        "title": "Authorization Error",
        "type": PROBLEMS + "not-authorized-for-resource",
    }


def user(who: User, request: Request) -> dict[str, Any]:
    """A user with the fields asked for."""
    fields = {"id", "name", "username", *_listed(request, "user.fields")}
    return {name: value for name, value in who.wire().items() if name in fields}


def posts(found: Iterable[Post], request: Request) -> dict[str, Any]:
    """`data` and `includes` for these posts; without posts there is neither."""
    expanded = _listed(request, "expansions")
    fields = [*_listed(request, "tweet.fields"), *_listed(request, "post.fields")]
    fields += [name.partition(".")[0] for name in expanded]
    shown = list(found)
    if not shown:
        return {}
    content: dict[str, Any] = {"data": [post.wire(fields) for post in shown]}
    includes: dict[str, Any] = {}
    if "author_id" in expanded:
        authors = {post.author.id: post.author for post in shown}
        includes["users"] = [user(author, request) for author in authors.values()]
    media = [one for post in shown for one in post.media_wire()]
    if media and "attachments.media_keys" in expanded:
        includes["media"] = media
    return content | ({"includes": includes} if includes else {})


def page(found: Iterable[Post], request: Request) -> Answer:
    """One page of a timeline, newest first; new posts do not shift the pages that follow."""
    asked = request.queries()
    size, token = asked.get("max_results", "10"), asked.get("pagination_token", "")
    if not size.isdigit() or not 5 <= int(size) <= 100:
        return invalid("max_results", size, "is not between 5 and 100")
    if token and not token.removeprefix("before-").isdigit():
        return invalid("pagination_token", token, "is not valid")
    newest = sorted(found, key=lambda post: int(post.id), reverse=True)[:LATEST]
    wanted = [post for post in newest if _wanted(post, asked)]
    shown = wanted[: int(size)]
    meta: dict[str, Any] = {"result_count": len(shown)}
    if shown:
        meta |= {"newest_id": shown[0].id, "oldest_id": shown[-1].id}
    if len(wanted) > len(shown):
        meta["next_token"] = f"before-{shown[-1].id}"
    return answer_json({**posts(shown, request), "meta": meta})


def _wanted(post: Post, asked: dict[str, str]) -> bool:
    start = asked.get("start_time")
    last = asked.get("pagination_token", "").removeprefix("before-") or asked.get("until_id")
    return (
        int(post.id) > int(asked.get("since_id", 0))
        and (last is None or int(post.id) < int(last))
        and (start is None or post.created_at >= datetime.fromisoformat(start))
    )


def _listed(request: Request, name: str) -> list[str]:
    return [item for item in request.queries().get(name, "").split(",") if item]
