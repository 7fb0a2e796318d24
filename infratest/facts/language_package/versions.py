"""Which of two versions is the later one, as the package tools of languages order them. Pure.

pip: PEP 440, as the version specifiers of PyPA have it now. npm and cargo: Semantic Versioning 2.0.0, 11. gem: the
documentation of Gem::Version. What a version leaves out at its end is nought: `1.2` is `1.2.0`.
"""

from __future__ import annotations

from infratest.errors import FactError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DIGITS = frozenset("0123456789")
SEPARATORS = frozenset("-_.")

#: PEP 440's words for what comes before a release, the longer ones first, and what they are the same as.
PRE = {"alpha": "a", "beta": "b", "preview": "rc", "pre": "rc", "rc": "rc", "a": "a", "b": "b", "c": "rc"}
POST = {"post": "post", "rev": "post", "r": "post"}
DEV = {"dev": "dev"}


def order(version: str, bound: str, language: str) -> int:
    """Return less than, equal to or more than 0 as the first version is earlier, the same or later.

    Raises:
        FactError: one of them is no version by the rules of this language's packages.
    """
    key = KEYS[language]
    first, second = key(version), key(bound)
    return (first > second) - (first < second)


def latest_first(versions: list[str], language: str) -> list[str]:
    """Return versions with the latest one before the others; those that are none are last."""

    def key(version: str) -> tuple[bool, Any]:
        try:
            return (True, KEYS[language](version))
        except FactError:
            return (False, ())

    return sorted(versions, key=key, reverse=True)


def refuse_no_version(text: str, language: str) -> None:
    """Raise FactError for a text that is no version by the rules of this language's packages."""
    KEYS[language](text)


def _number(digits: str) -> tuple[int, ...]:
    """Return a number, however long, as what is ordered as it is."""
    digits = digits.lstrip("0")
    return (len(digits), *map(ord, digits))


def _digits(text: str) -> str:
    """Return the digits that a text begins with."""
    return text[: next((at for at, each in enumerate(text) if each not in DIGITS), len(text))]


def _is_number(text: str) -> bool:
    return bool(text) and set(text) <= DIGITS


def _pip(version: str) -> tuple[Any, ...]:
    rest, plus, local = version.strip().lower().removeprefix("v").partition("+")
    epoch = _digits(rest)
    if epoch and rest[len(epoch) : len(epoch) + 1] == "!":
        rest = rest[len(epoch) + 1 :]
    else:
        epoch = ""
    release = [_digits(rest)]
    rest = rest[len(release[0]) :]
    while rest[:1] == "." and (digits := _digits(rest[1:])):
        release.append(digits)
        rest = rest[1 + len(digits) :]
    pre, rest = _tag(rest, PRE)
    post, rest = _tag(rest, POST)
    if post is None and rest[:1] == "-" and (digits := _digits(rest[1:])):
        post, rest = ("post", digits), rest[1 + len(digits) :]
    dev, rest = _tag(rest, DEV)
    locals_ = "".join("." if each in SEPARATORS else each for each in local).split(".") if plus else []
    if rest or not release[0] or not all(each.isascii() and each.isalnum() for each in locals_):
        raise FactError(
            f"{version!r} is no version of a Python package (PEP 440), which are as 1.2.3, 2.0rc1, 1.0.post1"
        )
    return (_number(epoch), _trimmed([_number(each) for each in release]), *_phases(pre, post, dev), _local(locals_))


def _phases(pre: Any, post: Any, dev: Any) -> tuple[Any, ...]:
    """Return what orders versions of one release: development, before it, the release, behind it."""
    first: tuple[Any, ...] = (2,) if pre is None else (1, pre[0], _number(pre[1]))
    if pre is None and post is None and dev is not None:
        first = (0,)
    return (first, () if post is None else (_number(post[1]),), (1,) if dev is None else (0, _number(dev[1])))


def _tag(rest: str, words: dict[str, str]) -> tuple[tuple[str, str] | None, str]:
    """Return a word and its number where a text begins so, and what follows."""
    behind = rest[1:] if rest[:1] in SEPARATORS else rest
    word = next((word for word in words if behind.startswith(word)), "")
    if not word:
        return None, rest
    behind = behind[len(word) :]
    if behind[:1] in SEPARATORS and (behind[1:2] in DIGITS or behind[1:2] in SEPARATORS or not behind[1:]):
        behind = behind[1:]
    digits = _digits(behind)
    return (words[word], digits), behind[len(digits) :]


def _trimmed(numbers: list[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    while len(numbers) > 1 and numbers[-1] == (0,):
        numbers = numbers[:-1]
    return tuple(numbers)


def _local(parts: list[str]) -> tuple[Any, ...]:
    return tuple((1, _number(part)) if _is_number(part) else (0, part) for part in parts)


def _semver(version: str) -> tuple[Any, ...]:
    core, _, _ = version.strip().removeprefix("v").partition("+")
    numbers, dash, pre = core.partition("-")
    release, before = numbers.split("."), pre.split(".") if dash else []
    fits = all(each and all(one.isascii() and (one.isalnum() or one == "-") for one in each) for each in before)
    if len(release) > 3 or not all(map(_is_number, release)) or not fits:
        raise FactError(f"{version!r} is no version by semver.org, which are as 1.2.3 and 2.0.0-rc.1")
    named = tuple((0, _number(each)) if _is_number(each) else (1, each) for each in before)
    return (tuple(_number(each) for each in [*release, "0", "0"][:3]), not dash, named)


def _gem(version: str) -> tuple[Any, ...]:
    """Return the segments: a word is before a number, so before the end, which is nought for ever."""
    main, dash, pre = version.strip().partition("-")
    first, *others = main.split(".")
    names = [*others, *(each.replace("-", "a") for each in pre.split(".") if dash)]
    if not _is_number(first) or not all(name.isascii() and name.isalnum() for name in names):
        raise FactError(f"{version!r} is no version of a gem, which are as 1.2.3 and 2.0.0.rc1")
    segments: list[tuple[Any, ...]] = []
    for part in version.strip().replace("-", ".pre.").split("."):
        while part:
            digits = _digits(part)
            word = digits or part[: next((at for at, each in enumerate(part) if each in DIGITS), len(part))]
            segments.append((1, _number(digits)) if digits else (0, word))
            part = part[len(word) :]
    at = next((at for at, segment in enumerate(segments) if segment[0] == 0), len(segments))
    return (*_without_noughts(segments[:at]), *_without_noughts(segments[at:]), (1, (0,)))


def _without_noughts(segments: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    while segments and segments[-1] == (1, (0,)):
        segments = segments[:-1]
    return segments


#: Language's tool -> what orders its versions.
KEYS: dict[str, Callable[[str], tuple[Any, ...]]] = {"pip": _pip, "npm": _semver, "gem": _gem, "cargo": _semver}
