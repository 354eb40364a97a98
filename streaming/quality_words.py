"""What the words of a text say of a picture: the lexer behind `Quality.parse`.

Pure. It sorts words into kinds and tells tags from titles; what a kind is worth is not decided here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Kinds of words; the first that fits wins, "~" may be a separator. The maybe_ ones and bare numbers may as
# well stand in a title ("Cam", "T.S. Eliot", "720 Degrees"): `_Release._is_tag` judges them by their company.
_VOCABULARY = {
    "silent": r"dts~(?:x|hd)(?:~(?:ma|hra?))?|true~hd|hd~(?:ma|hra?|audio|lite?|light)"
    r"|cam~(?:audio|aud|sound)"
    r"|[248]k~(?:digital(?:ly)?~)?(?:re)?(?:mast|stor|scan|transf|source)[a-z]*"
    r"|(?:restor|scann|(?:re)?master|transferr)[a-z]*~(?:in|from|at)~[248]k|from~[248]k",
    "cam": r"[^\W_]*(?:hdcam|hqcam|camrip|hdts|telesync|predvd)(?:[xh]?\d[^\W_]*)?"  # "1080pHDTS"
    r"|(?:(?:u?hd|hq|4k)~)?cam(?:hd|hq|~rip|~print)|(?:u?hd|hq|4k)~(?:cam|ts|tc)(?:~rip)?|(?:ts|tc)~rip"
    r"|(?:hd~)?tele~(?:synch?|cine)(?:~rip)?|pdvd(?:~rip)?|pre~dvd(?:~rip)?|ts~scr(?:eener)?"
    r"|(?:(?:hd|hq)~)?s[ ._-]print|theat(?:er|re)~(?:print|rip)",
    "uhd": r"4k(?:~uhd)?(?:~rip|light|hdr|remux|(?:24|25|30|48|50|60)(?:p|fps)?)?"
    r"|uhd(?:~tv)?(?:~rip|~remux|bd|web)?|ultra~hd(?:~tv|~rip)?|ultra~high~def(?:inition)?",
    "qhd": r"w?qhd|quad~hd|2[.,]5k",
    "fhd": r"f(?:ull~)?hd(?:~rip|~tv)?|full~high~def(?:inition)?",
    "sd": r"(?:sd|pd)~tv(?:~rip)?|(?:dvd|vhs|tv|sat|ds|dth|ld|s?vcd)~rip|dsr|s?vcd|xvidvd|video~ts"
    r"|dvd~(?:r|5|9|full|mux|scr|screener)(?:~rip)?|standard~def(?:inition)?",
    "hd": r"hd~ready|high~def(?:inition)?",
    "source": r"web(?:~(?:dl|hd|cap|mux))?(?:~(?:rip|mux))?|hd~web|blu~ray(?:~(?:rip|disc|disk))?"
    r"|hd~dvd(?:~rip)?|b[dr](?:~(?:rip|remux|mux|iso|scr|screener)|25|50|66|100)?|bdmv|remux|a?hd~tv(?:~rip)?"
    r"|(?:hd|vod|ppv|dvb|iptv)~rip|micro~hd|m-?hd|itunes~hd|dvb|amzn|dsnp|hmax|atvp",
    "codec": r"[xh][ .]?26[3-6]|hevc|avc|av1|vp9|xvid(?:hd)?|divx|mpeg~[24]|aac\w{0,3}|e?ac~3|ddp?\d?|dts"
    r"|flac|mp3|atmos|sdr|hdr(?:10)?|dv|dovi|(?:8|10|12)~bits?|\d+(?:mb|gb|fps)|h?sbs",
    "plain": r"proper|repack|internal|limited|uncut|unrated|extended|remastered|workprint|hc|hq|lq|line|md"
    r"|new|v\d|multi|dual|e?subs?|dubbed|audio|clean|print|quality|res(?:olution)?|stream|video|full|mkv|mp4|avi"
    r"|m2ts|webm|hls|dash|hindi|tamil|telugu|eng(?:lish)?|(?:true)?french|vostfr|german|ita(?:lian)?|spanish|latino"
    r"|castellano|rus(?:sian)?|korsub|readnfo|3d|rip|version|copy",
    "year": r"(?:19|20)\d\d",
    "figures": r"[a-z]*\d{3,5}[pi](?:x|hd|\d\d)?|\d{3,4} ?[x*\u00d7] ?\d{3,4}[pi]?"
    r"|(?:[fu]?hd|bd|m)\d{3,4}|\d{3,4}hd",
    "maybe_cam": r"cam|ts|tc",
    "maybe_sd": r"sd|dvd|vhs|pal|ntsc|r5|scr|screener",
    "maybe_hd": r"hd",
    "maybe_2k": r"2k",
    "maybe_uhd": r"[5-8]k",
    "number": r"240|360|480|540|576|720|1080|1440|2160|4320",
    "word": r"[^\W_]+",
}
_WORD_START, _WORD_END, _SEPARATOR = r"(?<![^\W_])", r"(?![^\W_])", r"[\W_]{0,3}"
_KINDS = "|".join(f"(?P<{kind}>{words})" for kind, words in _VOCABULARY.items()).replace("~", _SEPARATOR)
_LEXER = re.compile(f"{_WORD_START}(?:{_KINDS}){_WORD_END}", re.I)

_TECHNICAL = frozenset(_VOCABULARY) - {"plain", "year", "word", "number"}
_COMPANY = _TECHNICAL | {"plain"}
_BRACKETS = frozenset({"()", "[]", "{}"})
_OPENS_TAGS = frozenset({"year", "figures", "codec"})  # the title of a release ends before the first of these


class Tag(NamedTuple):
    """A word that describes the picture, and its kind: "cam", "sd", "hd", "fhd", "2k", "qhd", "uhd",
    "number" or one that says nothing of size ("source", "codec", "plain" ...)."""

    kind: str
    text: str


def tags(text: str) -> list[Tag]:
    """The words of `text` that describe the picture; those that belong to a title are left out."""
    release = _Release(text)
    return [
        Tag(token.kind.removeprefix("maybe_"), token.text)
        for place, token in enumerate(release.tokens)
        if not token.is_doubtful or release.is_tag(place)
    ]


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int

    @property
    def is_doubtful(self) -> bool:
        return self.kind == "number" or self.kind.startswith("maybe_")


class _Release:
    """The words of one text, and what about the whole of it helps to judge the doubtful ones."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [_Token(m.lastgroup or "", m[0], *m.span()) for m in _LEXER.finditer(text)]
        kinds = [token.kind for token in self.tokens]
        self.has_title = "word" in kinds or "year" in kinds  # not so "HD 720" and "cam quality"
        self.has_source = "source" in kinds
        self.shouts = all(t.text == t.text.upper() for t in self.tokens if t.kind == "word")
        self.opening = next((n for n, kind in enumerate(kinds) if n and kind in _OPENS_TAGS), len(kinds))

    def is_tag(self, place: int) -> bool:
        """Whether the doubtful word at `place` is a tag, not part of a title or a group's name.

        It is where there is no title at all; alone in brackets; in capitals amid small letters (TS anywhere,
        HD only at the end); after the title, beside another tag or at the end; and elsewhere beside a
        technical tag. "Cam" before the tags of a release from a digital source ("Nanny.Cam.1080p.WEB-DL")
        is a title: nobody films a web stream with a camera.
        """
        token = self.tokens[place]
        contradicted = token.kind == "maybe_cam" and self.has_source and place < self.opening
        if not self.has_title:
            return place > 0 or not contradicted
        if self._is_bracketed(token):
            return True
        if place == 0 or self._names_group(place) or self._ends_file_name(place) or contradicted:
            return False
        if token.text.isupper() and not self.shouts and (token.kind == "maybe_cam" or self._is_last(place)):
            return True
        return self._keeps_company(place)

    def _neighbours(self, place: int) -> tuple[str, str]:
        after = self.tokens[place + 1].kind if place + 1 < len(self.tokens) else ""
        return self.tokens[place - 1].kind, after

    def _keeps_company(self, place: int) -> bool:
        before, after = self._neighbours(place)
        if place < self.opening:
            return before in _TECHNICAL or after in _TECHNICAL
        if before == "year" and self.tokens[place].kind != "number":
            return True
        return before in _COMPANY or after in _COMPANY or self._is_last(place)

    def _is_bracketed(self, token: _Token) -> bool:
        """The CAM of "(CAM)", the 720 of "[720]"."""
        return self.text[token.start - 1 : token.start] + self.text[token.end : token.end + 1] in _BRACKETS

    def _is_last(self, place: int) -> bool:
        return place + 1 == len(self.tokens)

    def _names_group(self, place: int) -> bool:
        """The HD of "x264-HD" is who made it."""
        before = self.tokens[place - 1]
        return self._is_last(place) and before.kind == "codec" and self._gap_before(place) == "-"

    def _ends_file_name(self, place: int) -> bool:
        """The TS of "HDTV.x264.TS" and of "x264-GRP.TS" is a container."""
        is_ending = self._is_last(place) and self._gap_before(place) == "."
        named = self.has_source or self._gap_before(place - 1) == "-"
        return is_ending and named and self.tokens[place].kind == "maybe_cam"

    def _gap_before(self, place: int) -> str:
        start = self.tokens[place - 1].end if place else 0
        return self.text[start : self.tokens[place].start]
