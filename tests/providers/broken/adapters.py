"""The broken adapters, by the rule that each of them breaks and no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from providers import rows
from providers.base import Capability, LicensedProvider
from providers.errors import ProviderBadResponse, ProviderError
from providers.messages import Request, Response
from providers.options import ConfigField
from providers.types import MovieRef, Rights, SearchAnswer, StreamCandidate
from tests.providers.broken.acting import Sleeps
from tests.providers.broken.tidy import Tidy

log = logging.getLogger(__name__)

_turns = count()
NOTHING = SearchAnswer(candidates=())


class ShoutsItsName(Tidy):
    """A slug that is no slug."""

    slug = "Shouts Its Name"


class EmbedsUnlicensed(Tidy):
    """Embeds, and nobody has to say by which licence."""

    capabilities = Tidy.capabilities | {Capability.EMBED}


class HidesNoToken(Tidy):
    """A token that any reader of the page would see."""

    config_fields = (
        Tidy.config_fields[0],
        ConfigField(name="token", label="Token", required=True, help="Ours, from their site."),
    )


class HelpsWithoutAWord(Tidy):
    """A setting of which nobody says what it is."""

    config_fields = (replace(Tidy.config_fields[0], help=""), Tidy.config_fields[1])


class SwallowsTypos(Tidy):
    """A setting that nobody declared is taken, and dropped."""

    def __init__(self, config: Mapping[str, object], *, name: str = "") -> None:
        known = {field.name for field in self.config_fields}
        super().__init__({key: value for key, value in config.items() if key in known}, name=name)


class AsksForNone(Tidy):
    """A film without an IMDb id is asked for as "None"."""

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return super().build_search(replace(movie, imdb_id=str(movie.imdb_id)))


class NeverAsksTwiceAlike(Tidy):
    """A nonce makes every request another one, so that no cache ever helps."""

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return tuple(
            replace(request, params={**request.params, "nonce": str(next(_turns))})
            for request in super().build_search(movie)
        )


class WaitsAnHour(Tidy):
    """A deadline that nobody would wait for."""

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return tuple(replace(request, deadline_s=3600.0) for request in super().build_search(movie))


class AsksAgainAndAgain(Tidy):
    """Where something is found, the same request again, once more than a search may."""

    def build_details(self, movie: MovieRef, responses: Sequence[Response]) -> tuple[Request, ...]:
        return self.build_search(movie) * 12 if self.streams(responses[0]) else ()

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        return super().parse_search(movie, responses[-1:])


class AsksElsewhere(Tidy):
    """Another host than the operator entered gets the request, and the token with it."""

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return tuple(
            replace(request, url=request.url.replace("127.0.0.1", "localhost"))
            for request in super().build_search(movie)
        )


class PastesTheId(Tidy):
    """The id goes into the URL as it comes."""

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return tuple(
            replace(request, url=f"{request.url}?imdb_id={movie.imdb_id}", params={})
            for request in super().build_search(movie)
        )


class PutsTheIdIntoTheHeaders(Tidy):
    """The id goes into a header as it comes."""

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return tuple(
            replace(request, headers={**request.headers, "X-Film": str(movie.imdb_id)})
            for request in super().build_search(movie)
        )


class KeepsTheClaimToItself(Tidy):
    """What the provider says of the quality is lost."""

    def candidate(self, row: rows.Row) -> StreamCandidate:
        return replace(super().candidate(row), claimed="")


class DeliversMoreThanItSays(Tidy):
    """Files, of which its capabilities say nothing."""

    capabilities = Tidy.capabilities - {Capability.PROGRESSIVE}


class ForgetsTheRights(Tidy):
    """Streams of which nobody knows who may show them."""

    def candidate(self, row: rows.Row) -> StreamCandidate:
        return replace(super().candidate(row), rights=Rights())


class CountsItsReadings(Tidy):
    """The same answer is read as something else each time."""

    def candidate(self, row: rows.Row) -> StreamCandidate:
        return replace(super().candidate(row), edition=f"{next(_turns)}. reading")


class TakesASignatureForAFilm(Tidy):
    """With each new signature all its renditions are new ones."""

    volatile_params = frozenset()


class CountsNothingAsUnread(Tidy):
    """An empty answer is told as one of which something could not be read."""

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        found = super().parse_search(movie, responses)
        return found if found.candidates or not responses else replace(found, skipped=1)


class TakesRubbishForNothing(Tidy):
    """What cannot be read becomes "no such film"."""

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        try:
            return super().parse_search(movie, responses)
        except ProviderBadResponse:
            return NOTHING


class TakesAnotherShapeForNothing(Tidy):
    """Where its documentation promises a list stands something else, and that becomes "no such film"."""

    def streams(self, response: Response) -> list[rows.Row]:
        answer = response.json()
        if isinstance(answer, dict) and isinstance(answer.get("streams"), dict):
            return []
        return super().streams(response)


class LogsTheToken(Tidy):
    """A line for the developer, that stayed."""

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        log.debug("asking with %s", self.config["token"])
        return super().build_search(movie)


class QuotesTheToken(Tidy):
    """Its own error tells the secret."""

    def streams(self, response: Response) -> list[rows.Row]:
        try:
            return super().streams(response)
        except ProviderBadResponse as error:
            raise ProviderBadResponse(f"with {self.config['token']}: {error.message}") from None


class _Tolerant(Tidy):
    """A failure that it tolerates becomes "no such film"."""

    def tolerates(self, error: ProviderError) -> bool:
        return False

    def ask(  # type: ignore[misc]  # that it may not be overridden is what mypy would have said
        self, movie: MovieRef, send: Callable[[Request], Response]
    ) -> Iterator[Response]:
        try:
            yield from super().ask(movie, send)
        except ProviderError as error:
            if not self.tolerates(error):
                raise


class ToleratesTheHuge(_Tolerant):
    """Too much of an answer is none."""

    def tolerates(self, error: ProviderError) -> bool:
        return "larger than" in error.message


class ToleratesTheSlow(_Tolerant):
    """Who does not answer in time has nothing."""

    def tolerates(self, error: ProviderError) -> bool:
        return "in time" in error.message


class ToleratesTheCut(_Tolerant):
    """Who hangs up has nothing."""

    def tolerates(self, error: ProviderError) -> bool:
        return "broke" in error.message


class _Accepting(Tidy):
    """A status that it accepts becomes "no such film"."""

    accepted: int

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        accepted = frozenset({self.accepted})
        return tuple(replace(r, accept_statuses=accepted) for r in super().build_search(movie))

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        if responses and responses[0].status == self.accepted:
            return self.answer_of(responses[0])
        return super().parse_search(movie, responses)

    def answer_of(self, refused: Response) -> SearchAnswer:
        return NOTHING


class ShrugsAtARefusal(_Accepting):
    """Who does not let us in has nothing."""

    accepted = 401


class ShrugsAtARateLimit(_Accepting):
    """Who asks us to slow down has nothing."""

    accepted = 429


class ShrugsAtAnOutage(_Accepting):
    """Who is down has nothing."""

    accepted = 500


class GuessesWhereItIs(_Accepting):
    """What is not listed is assumed to be where the others are."""

    accepted = 404

    def answer_of(self, refused: Response) -> SearchAnswer:
        row = {"url": refused.url, "type": "hls", "licence": "surely"}
        return SearchAnswer(candidates=(self.candidate(row),))


BROKEN: Final[Sequence[tuple[str, type[LicensedProvider]]]] = (
    ("says_what_it_is", ShoutsItsName),
    ("declares_what_it_can", EmbedsUnlicensed),
    ("declares_its_settings", HidesNoToken),
    ("declares_its_settings", HelpsWithoutAWord),
    ("names_a_wrong_setting", SwallowsTypos),
    ("imports_nothing_that_acts", Sleeps),
    ("asks_only_with_what_it_finds_by", AsksForNone),
    ("asks_the_same_each_time", NeverAsksTwiceAlike),
    ("asks_within_bounds", WaitsAnHour),
    ("asks_only_where_the_operator_says", AsksElsewhere),
    ("quotes_what_it_sends", PastesTheId),
    ("quotes_what_it_sends", PutsTheIdIntoTheHeaders),
    ("reads_what_is_recorded", KeepsTheClaimToItself),
    ("delivers_what_it_declares", DeliversMoreThanItSays),
    ("says_by_which_rights", ForgetsTheRights),
    ("gives_equal_frozen_answers", CountsItsReadings),
    ("keeps_the_identity_of_a_rendition", TakesASignatureForAFilm),
    ("takes_nothing_for_nothing", CountsNothingAsUnread),
    ("refuses_what_it_cannot_read", TakesRubbishForNothing),
    ("refuses_what_it_cannot_read", TakesAnotherShapeForNothing),
    ("keeps_secrets", LogsTheToken),
    ("keeps_secrets", QuotesTheToken),
    ("takes_no_huge_answer", ToleratesTheHuge),
    ("waits_for_no_slow_answer", ToleratesTheSlow),
    ("notices_an_answer_cut_off", ToleratesTheCut),
    ("takes_a_refusal_for_a_wrong_setting", ShrugsAtARefusal),
    ("finds_nothing_in_a_404", GuessesWhereItIs),
    ("passes_a_rate_limit_on", ShrugsAtARateLimit),
    ("passes_an_outage_on", ShrugsAtAnOutage),
)
