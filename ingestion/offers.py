"""What providers' answers say of a movie's versions: new, changed, moved or missing. No network here.

Facts of a known version go through `switching.observe`; a new address is only noted, to be probed first.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingestion.columns import fitted
from providers import services
from providers.services import ProviderAnswer
from providers.types import StreamCandidate
from streaming import switching
from streaming.models import Movie, StreamVersion
from streaming.policy import URL_MARGIN
from streaming.quality import Quality

State = StreamVersion.State

RENEW_WITHIN = 2 * URL_MARGIN
"""How long before a URL expires its successor is taken: well before the policy calls it too short-lived."""
ORPHANED_AFTER = timedelta(minutes=5)
"""A new version is probed by the search that found it; the tick sees to it only if that search died."""
SECOND_CHANCE_AFTER = timedelta(minutes=15)
"""A broken version that its provider goes on offering may have been mended: it is probed again so soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One rendition that a provider offers, under the key that it has for ever."""

    key: uuid.UUID
    provider: str
    candidate: StreamCandidate
    identity: Callable[[str], str]
    """Of a URL of this provider."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What a search says of the versions of one movie, and which of them are to be probed now."""

    new: list[StreamVersion] = field(default_factory=list)
    seen: list[StreamVersion] = field(default_factory=list)
    moved: list[tuple[StreamVersion, dict[str, Any]]] = field(default_factory=list)
    to_probe: list[StreamVersion] = field(default_factory=list)


def offers_in(movie_id: int, answers: Iterable[ProviderAnswer]) -> dict[uuid.UUID, Offer]:
    """Every rendition offered, each once."""
    offers: dict[uuid.UUID, Offer] = {}
    for answer in answers:
        if answer.answer is None or not answer.answer.candidates:
            continue
        provider, identity = answer.provider.slug, services.identity_of(answer.provider)
        for candidate in answer.answer.candidates:
            key = StreamVersion.key_for(movie_id, provider, candidate.ref, identity(candidate.url))
            offers[key] = Offer(key=key, provider=provider, candidate=candidate, identity=identity)
    return offers


def take_in(movie: Movie, answers: list[ProviderAnswer], *, at: datetime) -> Found:
    """Store what is new or changed, and say what has to be probed.

    A version is missing only if its provider's answer was complete, and only a probe may say that it is gone.
    """
    known = {v.pk: v for v in StreamVersion.objects.of(movie.pk).prefetch_related("provider")}
    offers, found = offers_in(movie.pk, answers), Found()
    for offer in offers.values():
        if offer.key in known:
            _take_known(known[offer.key], offer, found, at)
        else:
            found.new.append(_create(movie, offer, at))
    seen = StreamVersion.objects.filter(pk__in=[v.pk for v in found.seen])
    seen.update(last_seen=at, missing_since=None, expired_at=None)
    complete = {answer.provider.slug for answer in answers if is_complete(answer)}
    missing = [v for v in known.values() if v.pk not in offers and v.provider_id in complete]
    newly = [v for v in missing if v.missing_since is None]
    StreamVersion.objects.filter(pk__in=[v.pk for v in newly]).update(missing_since=at)
    # Later its own schedule is enough.
    found.to_probe += found.new + [v for v in newly if v.state != State.BROKEN]
    return found


def is_complete(answer: ProviderAnswer) -> bool:
    """Whether what the answer leaves out can be taken for missing."""
    return answer.answer is not None and not answer.answer.skipped


def facts(candidate: StreamCandidate) -> dict[str, Any]:
    """What the provider says of a rendition, as columns."""
    rights = candidate.rights
    return fitted(
        StreamVersion,
        {
            "claim": candidate.claimed,
            "claimed_quality": Quality.parse(candidate.claimed),
            "edition": candidate.edition,
            "languages": list(candidate.languages),
            "subtitles": list(candidate.subtitles),
            "licence": rights.licence,
            "licence_url": rights.licence_url,
            "attribution": rights.attribution,
            "territories": list(rights.territories),
            "rights_from": rights.valid_from,
            "rights_until": rights.valid_until,
        },
    )


def address(candidate: StreamCandidate) -> dict[str, Any]:
    """Where a rendition is, as columns."""
    return {
        "url": candidate.url,
        "delivery": candidate.delivery.value,
        "url_expires_at": candidate.url_expires_at,
    }


def _create(movie: Movie, offer: Offer, at: datetime) -> StreamVersion:
    version = StreamVersion(
        id=offer.key,
        movie=movie,
        provider_id=offer.provider,
        **fitted(StreamVersion, {"ref": offer.candidate.ref}),
        **address(offer.candidate),
        **facts(offer.candidate),
        first_seen=at,
        last_seen=at,
        next_check_at=at + ORPHANED_AFTER,
    )
    version.save(force_insert=True)
    return version


def _take_known(version: StreamVersion, offer: Offer, found: Found, at: datetime) -> None:
    found.seen.append(version)
    changed = {k: v for k, v in facts(offer.candidate).items() if getattr(version, k) != v}
    if changed:
        switching.observe(version.pk, columns=changed, at=at)
    if _has_moved(version, offer, at):
        found.moved.append((version, address(offer.candidate)))
    elif "claim" in changed or _due(version, at):
        found.to_probe.append(version)


def _has_moved(version: StreamVersion, offer: Offer, at: datetime) -> bool:
    """Whether it is somewhere else now. A new token alone is no move, unless the old one is running out."""
    if version.delivery != offer.candidate.delivery:
        return True
    if version.url_expires_at is not None and version.url_expires_at < at + RENEW_WITHIN:
        return version.url != offer.candidate.url
    return offer.identity(version.url) != offer.identity(offer.candidate.url)


def _due(version: StreamVersion, at: datetime) -> bool:
    """Whether what is offered has to be probed now, as well as listed."""
    never = version.state == State.UNVERIFIED or version.expired_at is not None
    mended = version.state == State.BROKEN and (version.probed_at or at) <= at - SECOND_CHANCE_AFTER
    return never or mended or (version.next_check_at is not None and version.next_check_at <= at)
