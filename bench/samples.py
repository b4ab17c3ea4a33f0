"""What is measured with: posts as people write them."""

import csv
from itertools import cycle, islice
from typing import Any

from bot.settings import HOUSE

REAL = HOUSE.parent / "shared" / "data" / "spotify_inbound.csv"
CORPUS = HOUSE / "bot" / "learning" / "corpus.csv"


def texts(number: int) -> list[str]:
    """Real tweets where they are at hand, else the corpus; repeated where they do not suffice."""
    path = REAL if REAL.exists() else CORPUS
    with path.open(newline="", encoding="utf-8") as file:
        own = [" ".join(row["text"].split()) for row in csv.DictReader(file)]
    return list(islice(cycle(own), number))


def x_event(number: int, text: str) -> dict[str, Any]:
    """A webhook event of a mention, as large as X's."""
    post_id = str(1_990_000_000_000_000_000 + number)
    counts = dict.fromkeys(("retweet_count", "reply_count", "like_count", "quote_count"), 0)
    users = [
        {
            "id": str(user),
            "username": f"user_{user}",
            "name": f"User {user}",
            "description": "Somebody who writes to shops. " * 4,
            "profile_image_url": f"https://images.example/{user}/normal.jpg",
            "public_metrics": {"followers_count": user, "following_count": 5, "tweet_count": 7},
            "created_at": "2023-10-23T13:44:53.000Z",
        }
        for user in (1001, 2000 + number)
    ]
    payload = {
        "id": post_id,
        "text": f"@user_1001 {text}",
        "author_id": users[1]["id"],
        "conversation_id": post_id,
        "edit_history_tweet_ids": [post_id],
        "created_at": "2026-11-02T11:58:07.000Z",
        "lang": "en",
        "public_metrics": counts,
        "entities": {"mentions": [{"start": 0, "end": 10, "username": "user_1001", "id": "1001"}]},
    }
    return {
        "data": {
            "event_uuid": post_id,
            "event_type": "post.mention.create",
            "filter": {"user_id": "1001"},
            "tag": "mentions",
            "payload": payload,
            "includes": {"users": users, "tweets": [payload]},
        }
    }
