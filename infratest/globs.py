"""Shell patterns, as fnmatch(3) has them: `*`, `?`, `[a-z]` and `[!a-z]`. Asked by sentences and facts about names.

Python's `fnmatch` makes regular expressions of them, which costs a check more than all else that it does.
"""

from __future__ import annotations


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text is one that the pattern stands for; capitals count."""
    at = place = 0
    star, retry = -1, 0
    while place < len(text):
        step = _one(pattern, at, text[place])
        if pattern[at : at + 1] == "*":
            star, retry = at, place
            at += 1
        elif step:
            at, place = at + step, place + 1
        elif star >= 0:
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return not pattern[at:].strip("*")


def is_pattern(text: str) -> bool:
    """Whether a text may stand for another one than itself."""
    return any(sign in text for sign in "*?[")


def _one(pattern: str, at: int, character: str) -> int:
    """Return the length of the part of the pattern that stands for this one character, 0 where it does not."""
    sign = pattern[at : at + 1]
    if sign == "[":
        negated = pattern[at + 1 : at + 2] in ("!", "^")
        begin = at + 1 + negated
        end = pattern.find("]", begin + 1)
        if end > 0:
            return (end - at + 1) if _in(pattern[begin:end], character) != negated else 0
    return int(sign in ("?", character) and sign != "")


def _in(members: str, character: str) -> bool:
    """Whether a character is one of a bracket's, ranges included."""
    at = 0
    while at < len(members):
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            if members[at] <= character <= members[at + 2]:
                return True
            at += 3
        else:
            if members[at] == character:
                return True
            at += 1
    return False
