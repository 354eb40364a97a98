"""Movies in the admin: the list, a page for each, and a page for everything that an editor can do.

The pages are our own views: Django's change form writes inside a transaction, which a switch must not be in.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.admin import RoleAdmin
from core.roles import Role
from ingestion import runs
from ingestion.admin import acts, page
from ingestion.admin.acts import Act
from ingestion.models import Job
from streaming import csp, switching, turns
from streaming.admin import cells
from streaming.admin.versions import TONES
from streaming.errors import SwitchError, UnknownMovie
from streaming.models import QUALITY_CHOICES, Movie
from streaming.querysets import MovieQuerySet, Publicity
from streaming.standing import Standing

ActMaker = Callable[..., Act]
ACTS: dict[str, ActMaker] = {
    "rollback": acts.roll_back,
    "edit": acts.edit,
    "withdraw": acts.withdraw,
    "restore": acts.restore,
}
VERSION_ACTS: dict[str, ActMaker] = {
    "activate": acts.activate,
    "suppress": acts.suppress,
    "release": acts.release,
}


class StandingFilter(admin.SimpleListFilter):
    """Where a movie stands with the public."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label.lower()) for value, label in Publicity.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        movies = cast(MovieQuerySet, queryset)
        return movies.standing(Publicity(value)) if value in Publicity.values else queryset


class Rung(admin.SimpleListFilter):
    title = "quality"
    parameter_name = "quality"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), label) for value, label in QUALITY_CHOICES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(active_quality=int(value)) if value and value.isdecimal() else queryset


@admin.register(Movie)
class MovieAdmin(RoleAdmin):
    """Viewers read; editors act. The path of an act is `<movie>/do/<act>/[<version>/]`."""

    title = "Films"
    changed_by = Role.EDITOR
    list_display = ("thumb", "film", "rung", "source", "condition", "standing", "switched")
    list_display_links = ("film",)
    list_filter = (StandingFilter, Rung)
    search_fields = ("title", "original_title", "imdb_id")
    search_help_text = "Title, TMDB id or IMDb id"
    ordering = ("-popularity", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("active_stream__provider")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if search_term.isdecimal() and len(search_term) < 10:
            found = queryset.filter(Q(pk=int(search_term)) | Q(title__icontains=search_term))
        return found, duplicates

    @admin.display(description="")
    def thumb(self, movie: Movie) -> str:
        return cells.poster(movie)

    @admin.display(description="film", ordering="title")
    def film(self, movie: Movie) -> str:
        return str(movie)

    @admin.display(description="quality", ordering="active_quality")
    def rung(self, movie: Movie) -> str:
        return cells.quality(movie.active_quality)

    @admin.display(description="provider")
    def source(self, movie: Movie) -> str:
        stream = movie.active_stream
        return f"{stream.provider.label}, {stream.delivery}" if stream else cells.EMPTY

    @admin.display(description="stream")
    def condition(self, movie: Movie) -> str:
        stream = movie.active_stream
        return cells.tag(stream.state, TONES.get(stream.state, "")) if stream else cells.tag("none", "warn")

    @admin.display(description="standing")
    def standing(self, movie: Movie) -> str:
        words = {"withdrawn": movie.removed_at, "hidden": movie.hidden, "pinned": movie.pinned}
        return ", ".join(word for word, holds in words.items() if holds) or "public"

    @admin.display(description="switched", ordering="switched_at")
    def switched(self, movie: Movie) -> str:
        return cells.since(movie.switched_at)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        ours = [
            path("<int:movie_id>/do/recheck/", wrap(require_POST(self.recheck)), name="movie_recheck"),
            path("<int:movie_id>/do/<slug:act>/", wrap(self.act_view), name="movie_act"),
            path("<int:movie_id>/do/<slug:act>/<uuid:version>/", wrap(self.act_view), name="version_act"),
        ]
        return [*ours, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        csp.allow(response, img_src=csp.image_origins())
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The movie's page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        view = self._view(unquote(object_id))
        may = self.has_change_permission(request)
        context = {
            "title": str(view.movie),
            "may_act": may,
            "poster": cells.poster(view.movie),
            **page.context(view),
        }
        return self._render(request, "admin/movie/page.html", context)

    def act_view(
        self, request: HttpRequest, movie_id: int, act: str, version: uuid.UUID | None = None
    ) -> HttpResponse:
        """Ask, then do. What is refused is said on the form, and nothing has changed."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        view = self._view(movie_id)
        maker = ACTS.get(act) if version is None else VERSION_ACTS.get(act)
        if maker is None:
            raise Http404(f"There is nothing called {act!r} to do here.")
        try:
            deed = maker(view) if version is None else maker(view, version)
        except SwitchError as error:
            messages.error(request, str(error))
            return redirect(self._page_of(movie_id))
        return self._ask_or_do(request, view, deed)

    def recheck(self, request: HttpRequest, movie_id: int) -> HttpResponse:
        """Queue `content.match` for one movie."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        view = self._view(movie_id)
        who = request.user.get_username()
        _, created = runs.ask(Job.MATCH, movie_id=view.movie.pk, trigger="admin", by=who, at=timezone.now())
        messages.success(request, "A search is queued." if created else "A search is under way already.")
        return redirect(self._page_of(movie_id))

    def _ask_or_do(self, request: HttpRequest, view: Standing, deed: Act) -> HttpResponse:
        initial = {"if_seq": view.movie.switch_seq, **(deed.initial or {})}
        form = deed.form(request.POST or None, initial=initial)
        if form.is_valid():
            try:
                deed.verb(switching.actor_of(request.user), timezone.now(), form.cleaned_data)
            except SwitchError as error:
                form.add_error(None, str(error))
            else:
                self.log_change(request, view.movie, deed.done)
                messages.success(request, deed.done)
                return redirect(self._page_of(view.movie.pk))
        context = {"title": deed.title, "movie": view.movie, "now": view.active, "deed": deed, "form": form}
        return self._render(request, "admin/movie/act.html", context | {"back": self._page_of(view.movie.pk)})

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        response = render(request, template, {**self.admin_site.each_context(request), **context})
        csp.allow(response, img_src=csp.image_origins())
        return response

    def _view(self, movie_id: int | str) -> Standing:
        try:
            return turns.read(int(movie_id), at=timezone.now())
        except (UnknownMovie, ValueError, OverflowError) as error:
            raise Http404(str(error)) from None

    def _page_of(self, movie_id: int) -> str:
        return reverse(f"{self.admin_site.name}:streaming_movie_change", args=[movie_id])
