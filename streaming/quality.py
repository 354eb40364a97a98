"""The quality ladder: what a rung is, and how pixels or a provider's words become one.

Pure: no Django, no I/O. Words are read, never guessed: text that says nothing of the picture gives None.
The rules and their reasons are in docs/adr/0003-quality-ladder-and-parsing.md.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterator

from streaming.quality_words import tags

MAX_TEXT_CHARS = 1000


class Quality(enum.IntEnum):
    """One rung. The values are stored; their gaps leave room for rungs to come."""

    CAM = 10
    SD = 20
    P720 = 30
    P1080 = 40
    P1440 = 50
    P2160 = 60

    @property
    def label(self) -> str:
        """The rung as people write it: "CAM", "SD", "720p" ... "2160p"."""
        return f"{self.name[1:]}p" if self >= Quality.P720 else self.name

    def __str__(self) -> str:
        return self.label

    def __format__(self, spec: str) -> str:
        return format(self.label, spec)

    @classmethod
    def from_label(cls, label: str) -> Quality:
        """The rung with exactly this label, in any case. Raises ValueError, which lists the labels."""
        for quality in cls:
            if quality.label.lower() == label.lower():
                return quality
        raise ValueError(f"{label!r} is no quality; allowed: {', '.join(q.label for q in cls)}")

    @classmethod
    def from_size(cls, width: int, height: int) -> Quality | None:
        """The rung of a picture of so many pixels; None unless both are positive. Never CAM.

        The higher of the rung by width and the rung by height, because films are wider than 16:9
        (1920x804 is 1080p) and old ones narrower (1440x1080 is 1080p).
        """
        if width <= 0 or height <= 0:
            return None
        return max(_rung(width, _WIDTHS), _rung(height, _HEIGHTS))

    @classmethod
    def parse(cls, text: str) -> Quality | None:
        """The rung that a provider's words or a release name claim; None if they claim none.

        A camera recording is CAM whatever else is said. Then the lowest stated size or line count, then
        a bare number that stands as a tag, then words ("4K", "DVDRip"), and a mere "HD" last.
        Reads at most `MAX_TEXT_CHARS` characters, in linear time.
        """
        text = _clean(text)
        found = tags(text)
        words = {_WORDS[tag.kind] for tag in found if tag.kind in _WORDS}
        if cls.CAM in words:
            return cls.CAM
        numbers = [_rung(int(tag.text), _HEIGHTS) for tag in found if tag.kind == "number"]
        hd = cls.P720 if any(tag.kind == "hd" for tag in found) else None
        return min(list(_stated(text)) or numbers or words, default=hd)


_WIDTHS = {Quality.P2160: 3840, Quality.P1440: 2560, Quality.P1080: 1920, Quality.P720: 1280}
_HEIGHTS = {Quality.P2160: 2160, Quality.P1440: 1440, Quality.P1080: 1080, Quality.P720: 720}


def effective_quality(
    *, claimed: Quality | None, verified: Quality | None, measurable: bool
) -> Quality | None:
    """What a stream counts as: what was measured wherever it can be; but a CAM claim stays CAM,
    because a camera can record at 1080p."""
    if claimed is Quality.CAM:
        return Quality.CAM
    return verified if measurable else claimed


def _rung(pixels: int, least: dict[Quality, int]) -> Quality:
    """The highest rung that `pixels` reach with 5 % tolerance (crops and encoders shave a few off)."""
    return next((quality for quality, full in least.items() if pixels * 100 >= full * 95), Quality.SD)


_WORDS = {
    "cam": Quality.CAM,
    "sd": Quality.SD,
    "2k": Quality.P1080,  # the cinema's 2K is 2048x1080; a shop's 2K may be 2560x1440: the lower of the two
    "fhd": Quality.P1080,
    "qhd": Quality.P1440,
    "uhd": Quality.P2160,
}


# --- text, made plain -------------------------------------------------------------------------------

_LOOKALIKES = str.maketrans("АВЕКМНОРСТХаеокрсхіІ", "ABEKMHOPCTXaeokpcxiI")
_MIXED_WORD = re.compile(r"[^\W_]*[0-9A-Za-z][^\W_]*")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")  # no word ends there, "4K高清"
_SITE = re.compile(
    r"(?<![^\W_])www\.[\w-]+\.[a-z]{2,5}\b|\[ ?[\w-]+\.(?:com|net|org|info|me|to|cc|tv|pw)\b ?\]", re.I
)
_LAST_WORD = re.compile(r"(?<![^\W_])[^\W_]+\Z")
_TRANSPORT_STREAM = re.compile(r"\.ts\s*$")  # lower case: a container, not a telesync


def _clean(text: str) -> str:
    """Full-width forms, Cyrillic letters in Latin words and site names ("720pMkv.com") made harmless."""
    text = unicodedata.normalize("NFKC", text[: MAX_TEXT_CHARS + 1])
    if len(text) > MAX_TEXT_CHARS:
        text = _LAST_WORD.sub("", text[:MAX_TEXT_CHARS])  # "camera", cut, must not become "cam"
    text = _MIXED_WORD.sub(lambda word: word[0].translate(_LOOKALIKES), text)
    text = _SITE.sub(" ", _IDEOGRAPHS.sub(" ", text))
    return _TRANSPORT_STREAM.sub("", text)


# --- what is stated in figures ----------------------------------------------------------------------

_SIZE = re.compile(r"(?<!\d)(\d{3,4})([ _]?)[x*\u00d7\u2715\u0445]\2(\d{3,4})(?!\d)", re.I)
_USUAL = "(?:360|480|540|576|720|1080|1440|2160|4320)"
_LINES = re.compile(
    rf"""({_USUAL})0?p                               # 1080p, 1080p60, BD1080pHEVC, the slip 10800p
    | ({_USUAL})0?i(?:\d\d)?(?![^\W_])               # 1080i, 1080i50
    | (?<![^\W_])({_USUAL})[ ._-]p(?![^\W_])         # 1080 p
    | (?<![^\W_])(\d{{3,4}})p(?:\d\d)?(?![^\W_])     # 404p, 816p, 1600p
    | (?<![a-z])(?:bd|[fu]?hd|m)({_USUAL})(?!\d)     # BD1080, HD720, M1080
    | (?<!\d)({_USUAL})hd(?![^\W_])                  # 720HD""",
    re.I | re.X,
)
_LEAST_LINES, _MOST_LINES = 120, 4800


def _stated(text: str) -> Iterator[Quality]:
    """The rungs of every "1920x804" and every "1080p", in no special order."""
    for match in _SIZE.finditer(text):
        width, height = int(match[1]), int(match[3])
        # "2019x264" is a year and a codec
        if height >= _LEAST_LINES and width <= 4 * height and height <= 4 * width:
            yield max(_rung(width, _WIDTHS), _rung(height, _HEIGHTS))
    for match in _LINES.finditer(text):
        lines = int(match[match.lastindex or 0])
        if _LEAST_LINES <= lines <= _MOST_LINES:
            yield _rung(lines, _HEIGHTS)
