"""The library's answer for one film, in the format of docs/library-format.md, at a given second. Pure."""

from __future__ import annotations

import math
from typing import Any

from demo import timeline
from demo.catalogue import Film

SETTLED_S = 6 * 3600


def listing(film: Film, seconds: float) -> dict[str, Any] | None:
    """The film's JSON; None while there is nothing to list, which the library says with a 404."""
    offers = timeline.offers(film, seconds)
    return {"renditions": [_row(film, offer) for offer in offers]} if offers else None


def fresh_for(film: Film, seconds: float) -> int:
    """Whole seconds that the listing holds: until the film's next change, hours when none is to come."""
    wait = timeline.seconds_to_change(film, seconds)
    return SETTLED_S if wait is None else min(SETTLED_S, math.ceil(wait))


def _address(film: Film, offer: timeline.Offer) -> str:
    """What comes back comes at a new address, as a restored file does: that tells a client to look again."""
    again = f"?take={offer.take}" if offer.take else ""
    return f"../media/{film.tmdb_id}/{offer.rendition.entry}{again}"


def _row(film: Film, offer: timeline.Offer) -> dict[str, Any]:
    return {
        "id": offer.rendition.id,
        "url": _address(film, offer),
        "delivery": offer.rendition.delivery,
        "quality": offer.quality,
        "edition": "",
        "languages": [film.original_language],
        "subtitles": [],
        "rights": {
            "licence": film.licence,
            "licence_url": film.licence_url,
            "attribution": film.attribution,
            "territories": list(film.territories),
        },
    }
