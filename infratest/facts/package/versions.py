"""Which of two versions is the later one, as the package manager orders them. Pure; asked by sentences that compare.

dpkg: Debian Policy 5.6.12 and deb-version(7). rpm: rpm-version(7). apk: apk-package(5), which is Gentoo's order.
pacman: vercmp(8), an old one of rpm's with a meaning of its own for what stands between and behind.
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


def order(version: str, bound: str, manager: str) -> int:
    """Return less than, equal to or more than 0 as an installed version is earlier, the same or later than another.

    Args:
        version: as the package manager writes it. bound: the same, or without epoch, or without the distribution's
            revision: what it leaves out does not count. manager: dpkg, rpm, apk or pacman.
    Raises:
        FactError: of another package manager, or one of them is no version of this one's.
    """
    compare = ORDERS.get(manager)
    if compare is None:
        raise FactError(f"versions of {manager} cannot be put in order in this version: compare for one exact version")
    epoch, upstream, revision = _parts(version)
    bound_epoch, bound_upstream, bound_revision = _parts(bound)
    if bound_epoch is not None and _number(epoch or "0") != _number(bound_epoch):
        return 1 if _number(epoch or "0") > _number(bound_epoch) else -1
    result = compare(upstream, bound_upstream)
    if result or bound_revision is None:
        return result
    return compare(revision or "0", bound_revision)


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


def _pacman(one: str, other: str) -> int:
    """Return less than, equal to or more than 0 as the first version is earlier, the same or later."""
    while one and other:
        gaps = [len(_while(text, lambda character: character not in DIGITS | LETTERS)) for text in (one, other)]
        one, other = one[gaps[0] :], other[gaps[1] :]
        if not (one and other):
            break
        if gaps[0] != gaps[1]:
            return -1 if gaps[0] < gaps[1] else 1
        kind = DIGITS if one[0] in DIGITS else LETTERS
        first, second = _while(one, kind.__contains__), _while(other, kind.__contains__)
        if not second:  # numbers are later than letters
            return 1 if kind is DIGITS else -1
        result = _ordered(first, second, kind is DIGITS)
        if result:
            return result
        one, other = one[len(first) :], other[len(second) :]
    if not (one or other):
        return 0
    # What goes on by letters is before the end (1.0rc1), all else behind it.
    return -1 if one[:1] in LETTERS or (not one and other[0] not in LETTERS) else 1


#: Before the end of a version and behind it, in this order.
BEFORE, BEHIND = ("alpha", "beta", "pre", "rc"), ("cvs", "svn", "git", "hg", "p")


def _apk(one: str, other: str) -> int:
    """Return less than, equal to or more than 0 as the first version is earlier, the same or later."""
    first, second = _apk_key(one), _apk_key(other)
    return (first > second) - (first < second)


def _apk_key(version: str) -> list[tuple[int, ...]]:
    """Return a version as its parts: those of the same place are in order by their first number.

    Before the end (0) are the suffixes of what comes before a release; behind it a suffix's number (1), a suffix of
    what comes after a release (2), a letter (3), another number (4).

    Raises:
        FactError: it is none of apk's.
    """
    body, *suffixes = version.removeprefix("r").split("_")
    letter = body[-1:] if body[-1:].islower() else ""
    numbers = body.removesuffix(letter).split(".")
    if not all(number and set(number) <= DIGITS for number in numbers):
        raise FactError(f"{version!r} is no version of apk's, which are as 1.2.3a_rc1-r4")
    parts = [(4, *_number(numbers[0])), *((4, *_decimal(number)) for number in numbers[1:])]
    parts += [(3, ord(letter))] if letter else []
    for suffix in suffixes:
        name = _while(suffix, LETTERS.__contains__)
        digits = suffix[len(name) :]
        if name not in BEFORE + BEHIND or not set(digits) <= DIGITS:
            raise FactError(f"{version!r} is no version of apk's: it knows no suffix _{suffix}")
        parts.append((BEFORE.index(name) - len(BEFORE),) if name in BEFORE else (2, BEHIND.index(name)))
        parts += [(1, *_number(digits))] if digits else []
    return [*parts, (0,)]


def _decimal(digits: str) -> tuple[int, ...]:
    """Return a number behind a dot as what is ordered as it is: with zeros before it, it is read as a fraction is."""
    zeros = len(digits) - len(digits.lstrip("0"))
    return (-zeros or 1, *_number(digits))


#: Package manager -> how it orders two versions, or two revisions.
ORDERS: dict[str, Callable[[str, str], int]] = {"dpkg": _dpkg, "rpm": _rpm, "apk": _apk, "pacman": _pacman}
