"""The demo's look: posters, backdrops and the still under a clip, as SVG from a film and its scene. Pure.

A scene is a fragment of SVG in scenes/<name>.svg around the origin: what matters lies within 400 to each side
and 450 up and down; sky and ground reach 1,100 to the left, 800 to the right and 600 up and down.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

from demo.catalogue import HERE, Film, Rendition

FONT = "'Avenir Next','Segoe UI','Liberation Sans',Helvetica,Arial,sans-serif"
ACCENTS = {480: "#aab4c0", 720: "#5cc8ff", 1080: "#7ee787", 1440: "#ff9ecf", 2160: "#ffd166"}
_WIDE = frozenset("MWÉÈ")
_NARROW = frozenset("IJ.,' ")


def poster(film: Film) -> str:
    """2:3, with title, year, director and licence."""
    lines = _balanced(film.title.upper())
    size = min(104.0, min(680 / _ems(line) for line in lines))
    top = 500 - size * 1.04 * len(lines)
    titles = "".join(
        _text(-340, top + size * 1.04 * (row + 0.86), line, size, weight=800, length=_ems(line) * size)
        for row, line in enumerate(lines)
    )
    return _svg(
        (-400, -600, 800, 1200),
        f"{_scene(film)}<path fill='url(#shade)' d='M-400 0h800v600h-800z'/>{titles}"
        f"<path fill='{film.accent}' d='M-340 508h96v6h-96z'/>"
        f"{_text(-340, 556, f'{film.released.year}  ·  {film.director}', 30, colour='#ffffffcc')}",
        film,
    )


def backdrop(film: Film) -> str:
    """16:9, without words; the left third is calm, so that a page can write there."""
    return _svg((-1100, -450, 1600, 900), _scene(film), film)


def still(film: Film, rendition: Rendition) -> str:
    """16:9, the picture of a clip without what moves; it says what it is and how many pixels it has."""
    accent = ACCENTS[rendition.height]
    lines = _balanced(film.title, longest=16)
    size = min(100.0, min(760 / _ems(line) for line in lines))
    titles = "".join(
        _text(-1030, 240 - size * 1.05 * (len(lines) - 1 - row), line, size, weight=800)
        for row, line in enumerate(lines)
    )
    return _svg(
        (-1100, -450, 1600, 900),
        f"{_scene(film)}<path fill='url(#side)' d='M-1100-450H-100V450h-1000z'/>"
        f"{_badge(rendition, accent)}{titles}"
        f"<path fill='#0b0f14' d='M-1100 310H500v140h-1600z'/>"
        f"{_text(-690, 400, 'Generated demo clip, not the film itself', 44, colour='#c3ccd6')}",
        film,
        width=rendition.width,
    )


def _badge(rendition: Rendition, accent: str) -> str:
    name = {480: "SD 480p", 2160: "4K 2160p"}.get(rendition.height, f"{rendition.height}p")
    pixels = f"{rendition.width} × {rendition.height}"  # noqa: RUF001
    width = 62 * len(name) + 56
    return (
        f"<rect x='-1030' y='-384' width='{width}' height='150' rx='26' fill='{accent}'/>"
        f"<text x='{-1030 + width / 2}' y='-272' font-family=\"{FONT}\" font-size='108' font-weight='800' "
        f"fill='#0b0f14' text-anchor='middle'>{name}</text>"
        f"{_text(-1026, -172, pixels, 46, colour=accent, weight=700)}"
    )


def _svg(box: tuple[int, int, int, int], body: str, film: Film, *, width: int | None = None) -> str:
    top, bottom = film.sky
    wide = width or box[2]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='{' '.join(map(str, box))}' "
        f"width='{wide}' height='{round(wide * box[3] / box[2])}'><title>{escape(film.title)}</title><defs>"
        f"<linearGradient id='sky' x2='0' y2='1'><stop stop-color='{top}'/>"
        f"<stop offset='1' stop-color='{bottom}'/></linearGradient>"
        "<linearGradient id='shade' x2='0' y2='1'><stop stop-opacity='0'/>"
        "<stop offset='.55' stop-opacity='.6'/><stop offset='1' stop-opacity='.82'/></linearGradient>"
        "<linearGradient id='side'><stop stop-opacity='.72'/><stop offset='.5' stop-opacity='.55'/>"
        "<stop offset='1' stop-opacity='0'/></linearGradient></defs>"
        f"<path fill='url(#sky)' d='M-1100-600H800V600h-1900z'/>{body}</svg>"
    )


@lru_cache(maxsize=64)
def _scene_text(name: str) -> str:
    return (HERE / "scenes" / f"{name}.svg").read_text("utf-8").strip()


def _scene(film: Film) -> str:
    return _scene_text(film.scene)


def _text(
    x: float,
    y: float,
    words: str,
    size: float,
    *,
    colour: str = "#fff",
    weight: int = 500,
    length: float | None = None,
) -> str:
    fit = f" textLength='{length:.0f}' lengthAdjust='spacingAndGlyphs'" if length else ""
    return (
        f"<text x='{x}' y='{y:.0f}' font-family=\"{FONT}\" font-size='{size:.0f}' font-weight='{weight}' "
        f"fill='{colour}'{fit}>{escape(words)}</text>"
    )


def _ems(words: str) -> float:
    """About how many ems wide bold sans-serif text is."""
    return sum(0.86 if c in _WIDE else 0.3 if c in _NARROW else 0.7 if c.isupper() else 0.57 for c in words)


def _balanced(title: str, *, longest: int = 12) -> list[str]:
    """The title in lines of about the same length, as few as fit `longest` characters."""
    words = title.split()
    for count in range(1, len(words) + 1):
        best = min(_splits(words, count), key=lambda lines: max(map(len, lines)))
        if max(map(len, best)) <= longest or count in (4, len(words)):
            return best
    return [title]


def _splits(words: list[str], count: int) -> list[list[str]]:
    if count == 1:
        return [[" ".join(words)]]
    return [
        [" ".join(words[:cut]), *rest]
        for cut in range(1, len(words) - count + 2)
        for rest in _splits(words[cut:], count - 1)
    ]
