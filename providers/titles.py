"""Whether two titles are the same film's, as strictly as can be: a wrong film is worse than none.

Pure. Letters count; case, accents, punctuation and the ways to write "and" do not.
"""

from __future__ import annotations

import re
import unicodedata

from providers.types import MovieRef

_YEAR_AT_END = re.compile(r"(.*\S)\s*[(\[]\s*((?:18|19|20)[0-9]{2})\s*[)\]]\s*", re.DOTALL)
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_WITHIN_A_WORD = re.compile(r"['\u2019\u02bc`]")


def split_year(text: str) -> tuple[str, int | None]:
    """`("Sintel", 2010)` of "Sintel (2010)"; the text as it is, and None, when it ends on no year."""
    match = _YEAR_AT_END.fullmatch(text)
    return (match[1], int(match[2])) if match else (text.strip(), None)


def fold(title: str) -> str:
    """The title's letters and digits, in words: "Amélie & Co." and "amelie and co" are one."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", title).casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = _WITHIN_A_WORD.sub("", plain.replace("&", " and "))
    return _BETWEEN_WORDS.sub(" ", plain).strip()


def is_titled(movie: MovieRef, title: str) -> bool:
    """Whether it is the movie's title, or its original one. A title without a letter is nobody's."""
    folded = fold(title)
    return bool(folded) and folded in {fold(movie.title), fold(movie.original_title)}
