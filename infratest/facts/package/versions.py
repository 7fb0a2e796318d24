"""Which of two versions is the later one, as dpkg and rpm order them. Pure; asked by the sentence that compares them.

dpkg: Debian Policy 5.6.12 and deb-version(7). rpm: rpm-version(7). apk and pacman have orders of their own.
"""

from __future__ import annotations

from infratest.errors import FactError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS = frozenset("0123456789")
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
#: What may stand in a version of any of them.
CHARACTERS = DIGITS | LETTERS | frozenset(".+-:~^_")


def refuse_no_version(text: str) -> None:
    """Raise UserError for a text that can be no version."""
    _, upstream, revision = _parts(text)
    if not upstream[:1].isalnum() or revision == "" or not set(text) <= CHARACTERS:
        raise UserError(f"{text!r} is no version: it begins with a digit or letter and holds these, and . + - : ~ ^ _")


def at_least(version: str, least: str, manager: str) -> bool:
    """Whether an installed version is this one or a later one.

    Args:
        version: as the package manager writes it. least: the same, or without epoch, or without the distribution's
            revision: what it leaves out does not count. manager: dpkg or rpm.
    Raises:
        FactError: of another package manager.
    """
    compare = ORDERS.get(manager)
    if compare is None:
        raise FactError(f"versions of {manager} cannot be put in order in this version: compare for one exact version")
    epoch, upstream, revision = _parts(version)
    least_epoch, least_upstream, least_revision = _parts(least)
    if least_epoch is not None and _number(epoch or "0") != _number(least_epoch):
        return _number(epoch or "0") > _number(least_epoch)
    order = compare(upstream, least_upstream)
    if order or least_revision is None:
        return order >= 0
    return compare(revision or "0", least_revision) >= 0


def _parts(version: str) -> tuple[str | None, str, str | None]:
    """Return epoch, version and revision, None for what is not there."""
    epoch, colon, rest = version.partition(":")
    if not (colon and epoch and set(epoch) <= DIGITS):
        epoch, rest = "", version
    upstream, dash, revision = rest.rpartition("-")
    return epoch or None, upstream if dash else rest, revision if dash else None


def _dpkg(one: str, other: str) -> int:
    """Return less than, equal to or more than 0 as the first version is earlier, the same or later."""
    first, second = _dpkg_key(one), _dpkg_key(other)
    length = max(len(first), len(second))
    first, second = _padded(first, length), _padded(second, length)
    return (first > second) - (first < second)


def _dpkg_key(version: str) -> list[tuple[int, ...]]:
    """Return a version as its parts without and with digits in turn: `~` before the end, the end before letters."""
    parts: list[tuple[int, ...]] = []
    rest = version
    while rest:
        words = _while(rest, lambda character: character not in DIGITS)
        number = _while(rest[len(words) :], DIGITS.__contains__)
        ranks = [ord(each) if each in LETTERS else -1 if each == "~" else ord(each) + 256 for each in words]
        parts += [(*ranks, 0), _number(number)]
        rest = rest[len(words) + len(number) :]
    return parts


def _number(digits: str) -> tuple[int, ...]:
    """Return a number, however long, as what is ordered as it is."""
    digits = digits.lstrip("0")
    return (len(digits), *map(ord, digits))


def _padded(parts: list[tuple[int, ...]], length: int) -> list[tuple[int, ...]]:
    """Return the parts of a version and, for each that it lacks, nothing at all: `(0,)`, as text and as number."""
    return parts + [(0,)] * (length - len(parts))


def _rpm(one: str, other: str) -> int:
    """Return less than, equal to or more than 0 as the first version is earlier, the same or later."""
    while one or other:
        one, other = (text[len(_while(text, _separates)) :] for text in (one, other))
        for sign in "~^":
            if one[:1] == sign or other[:1] == sign:
                break
        else:
            sign = ""
        if sign:
            if one[:1] != other[:1]:
                return _marked(one, other, sign)
            one, other = one[1:], other[1:]
            continue
        if not (one and other):
            break
        kind = DIGITS if one[0] in DIGITS else LETTERS
        first, second = _while(one, kind.__contains__), _while(other, kind.__contains__)
        if not second:  # numbers are later than letters
            return 1 if kind is DIGITS else -1
        order = _ordered(first, second, kind is DIGITS)
        if order:
            return order
        one, other = one[len(first) :], other[len(second) :]
    return bool(one) - bool(other)


def _marked(one: str, other: str, sign: str) -> int:
    """Return the order of two texts of which one alone goes on with `~` (before the end) or `^` (behind the end)."""
    has = one[:1] == sign
    if sign == "~":
        return -1 if has else 1
    ended = not (other if has else one)
    return 1 if has == ended else -1


def _ordered(first: str, second: str, numbers: bool) -> int:
    one, other = (_number(first), _number(second)) if numbers else (first, second)
    return (one > other) - (one < other)  # type: ignore[operator]  # both are of one kind


def _separates(character: str) -> bool:
    return character not in DIGITS and character not in LETTERS and character not in "~^"


def _while(text: str, holds: Callable[[str], bool]) -> str:
    """Return the beginning of a text of which each character holds."""
    for place, character in enumerate(text):
        if not holds(character):
            return text[:place]
    return text


#: Package manager -> how it orders two versions, or two revisions.
ORDERS: dict[str, Callable[[str, str], int]] = {"dpkg": _dpkg, "rpm": _rpm}
