"""Webhook events of the X Activity API, as X would deliver them.

Shapes and signature: docs.x.com/x-api/activity and docs.x.com/x-api/webhooks.
"""

import base64
import hashlib
import hmac
from typing import Any

from tests.standins.x_posts import Post, User

TAGS = {
    "post.mention.create": "mentions",
    "post.reply.create": "replies",
    "post.quote.create": "quotes",
    "post.repost.create": "reposts",
    "post.delete": "post-deletes",
}


def event(post: Post, kind: str, account: User, uuid: str) -> dict[str, Any]:
    """One event about `post`.

    X includes users with a mention, wraps them once more with a deletion, and sends none with
    replies, quotes and reposts.
    """
    users = [_counted(user.wire()) for user in (post.author, account)]
    payload = _counted(post.wire())
    includes: dict[str, Any] = {}
    if kind == "post.mention.create":
        includes = {"users": users}
    if kind == "post.delete":
        payload = {"id": post.id, "author_id": post.author.id}
        includes = {"users": [{"data": users[0]}]}
    return {
        "data": {
            "event_uuid": uuid,
            "filter": {"user_id": account.id},
            "event_type": kind,
            "tag": TAGS.get(kind, "other"),
            "payload": payload,
            "includes": includes,
        }
    }


def signed(secret: str, body: bytes) -> dict[str, str]:
    """The headers of a delivery: HMAC-SHA256 of the raw body with the consumer secret."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-twitter-webhooks-signature": f"sha256={base64.b64encode(digest).decode()}",
    }


def _counted(wire: dict[str, Any]) -> dict[str, Any]:
    """Events carry every number a second time, as text."""
    metrics = wire["public_metrics"]
    return wire | {"public_metrics": metrics | {f"{k}_str": str(v) for k, v in metrics.items()}}
