"""Days and names for the tests' people and projects."""

import datetime
import uuid


def day(offset):
    """So many days after the Monday of this week."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (today + datetime.timedelta(days=offset - today.weekday())).isoformat()


def unique(word):
    return f"{word} {uuid.uuid4().hex[:8]}"
