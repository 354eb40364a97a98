"""A switch as an event: what a stream looks like to the public, the payload, the channel, who may listen.

Publishing is a nudge and never more: the log is read by whoever listens, so a lost nudge costs seconds.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from django_eventstream import send_event
from django_eventstream.channelmanager import DefaultChannelManager
from redis.exceptions import RedisError

from providers.types import Delivery
from streaming.models import Movie, StreamSwitch, StreamVersion

logger = logging.getLogger(__name__)

EVENT_TYPES = {
    StreamSwitch.Reason.FIRST: "stream.activated",
    StreamSwitch.Reason.MANUAL: "stream.activated",
    StreamSwitch.Reason.UPGRADE: "stream.upgraded",
    StreamSwitch.Reason.FAILOVER: "stream.failed_over",
    StreamSwitch.Reason.ROLLBACK: "stream.rolled_back",
    StreamSwitch.Reason.WITHDRAWN: "stream.withdrawn",
    StreamSwitch.Reason.REVISED: "stream.revised",
}
_AT_ONCE = {StreamSwitch.Reason.FAILOVER, StreamSwitch.Reason.WITHDRAWN, StreamSwitch.Reason.ROLLBACK}
_PREFIX = "movie-"

EMBED_ATTRIBUTES = {
    "sandbox": "allow-scripts allow-presentation",
    "referrerpolicy": "no-referrer",
    "allow": "autoplay; fullscreen; encrypted-media",
}


def public_body(version: StreamVersion) -> dict[str, Any]:
    """One stream as `active-stream` shows it. Nothing of a provider's configuration is in it."""
    body: dict[str, Any] = {
        "version": str(version.pk),
        "url": version.url,
        "delivery": version.delivery,
        "quality": version.quality_label,
        "verified": version.measurable and version.verified_quality is not None,
        "width": version.width,
        "height": version.height,
        "codecs": version.codecs,
        "edition": version.edition,
        "languages": version.languages,
        "subtitles": version.subtitles,
        "rights": {
            "licence": version.licence,
            "licence_url": version.licence_url,
            "attribution": version.attribution,
            "territories": version.territories,
            "valid_from": _utc(version.rights_from),
            "valid_until": _utc(version.rights_until),
        },
        "embed": EMBED_ATTRIBUTES if version.delivery == Delivery.EMBED else None,
    }
    return body


def event_type(row: StreamSwitch) -> str:
    """The name of the event that announces `row`."""
    return EVENT_TYPES[StreamSwitch.Reason(row.reason)]


def payload(row: StreamSwitch) -> dict[str, Any]:
    """The data of the event that announces `row`."""
    return {
        "movie": row.movie_id,
        "seq": row.seq,
        "reason": row.reason,
        "at": _utc(row.at),
        "apply": "now" if _applies_now(row) else "next_play",
        "from": row.before,
        "to": row.after,
        "from_valid_until": _utc(row.from_valid_until),
        "same_edition": row.same_edition,
    }


def channel(movie_id: int) -> str:
    """The channel on which a movie's switches are published."""
    return f"{_PREFIX}{movie_id}"


def nudge(row: StreamSwitch) -> None:
    """Wake the listeners of every process. Without Redis they find out by themselves, seconds later."""
    try:
        send_event(channel(row.movie_id), event_type(row), {"movie": row.movie_id, "seq": row.seq})
    except (RedisError, OSError) as error:
        logger.warning("nobody was nudged about switch %s, Redis does not answer: %s", row.pk, error)


class Channels(DefaultChannelManager):  # type: ignore[misc]
    """Who may listen: anyone, to a movie that the public may see. Channels come from our routes alone."""

    def get_channels_for_request(self, request: Any, view_kwargs: dict[str, Any]) -> set[str]:
        return {channel(view_kwargs["movie_id"])} if "movie_id" in view_kwargs else set()

    def can_read_channel(self, user: Any, channel: str) -> bool:
        number = channel.removeprefix(_PREFIX)
        if not channel.startswith(_PREFIX) or not number.isdecimal():
            return False
        return Movie.objects.present().filter(pk=int(number), hidden=False).exists()

    def is_channel_reliable(self, channel: str) -> bool:
        """Our own log replays what was missed; the library keeps nothing."""
        return False


def _utc(moment: datetime | None) -> str | None:
    """One text for one moment, whatever zone it was given in and however exactly: bodies are compared, and
    the log keeps milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000).isoformat()


def _applies_now(row: StreamSwitch) -> bool:
    return row.reason in _AT_ONCE or (row.reason == StreamSwitch.Reason.UPGRADE and row.same_edition)
