"""What accounts are called. A name is folded before it is stored or looked up, whoever does it, so that the
database itself keeps two accounts from being told apart by capitals alone. Pure.
"""

from __future__ import annotations

from unicodedata import name as name_of
from unicodedata import normalize

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

LONGEST = 64
RESERVED = frozenset({"marquee", "admin", "administrator", "root", "system"})
"""`Marquee` is who switches by itself in the log; the others sound as if they had a say."""
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")
"""Fillers of Hangul: letters to Unicode, nothing to the eye."""
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})
"""Alphabets with letters that look like another's."""


def fold(name: str) -> str:
    """The one way in which a name is written: without capitals, compatibility forms or spaces around it.

    Compatibility caseless matching (The Unicode Standard, section 3.13, D146): "Ada" in
    fullwidth letters and "ada" are the same.
    """
    return normalize("NFKC", normalize("NFKC", name).casefold()).strip()


def faults_of(name: str) -> list[str]:
    """What speaks against a new account of this (folded) name. Pure."""
    if not name or len(name) > LONGEST:
        return [f"A name has 1 to {LONGEST} characters."]
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError as error:
        return list(error.messages)
    if not _INVISIBLE.isdisjoint(name):
        return ["A name has no invisible characters."]
    if len(_ALIKE & {name_of(char, "").partition(" ")[0] for char in name}) > 1:
        return ["A name keeps to one alphabet."]
    return ["This name is reserved."] if name in RESERVED else []
