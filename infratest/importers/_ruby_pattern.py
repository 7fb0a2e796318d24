r"""Ruby's regular expressions as RE2's: escapes that Ruby alone has, which its `doc/regexp` and RE2's `syntax` name.

What stands in neither is left as it is, and refused by RE2 where that does not know it.
"""

from __future__ import annotations

import re

from infratest.importers._ruby import NotPlain

#: An escape, or a bracket that begins or ends a class.
_PART = re.compile(r"\\u\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\.|\[\^?\]?|\]", re.DOTALL)
#: Outside of a class; in it they stand without their brackets.
_ESCAPES = {"\\h": "[0-9a-fA-F]", "\\H": "[^0-9a-fA-F]", "\\Z": r"\n?\z", "\\e": r"\x1b", "\\s": r"[\s\v]"}
#: RE2 knows these otherwise, or in another sense: the match's beginning, what is not captured, line breaks, clusters.
_UNKNOWN = ("\\G", "\\K", "\\R", "\\X", "\\C")


def as_re2(pattern: str) -> str:
    """Return a pattern of Ruby's as RE2 has it. Raises NotPlain: it has what is not read here."""
    depth = 0

    def put(found: re.Match[str]) -> str:
        nonlocal depth
        part = found[0]
        if part.startswith("\\u"):
            return "".join([f"\\x{{{code}}}" for code in part[2:].strip("{}").split()])
        if part.startswith("["):
            depth += 1
        elif part == "]":
            depth = max(0, depth - 1)
        elif part in _UNKNOWN:
            raise NotPlain(f"{part} of a pattern is not read here")
        elif part in _ESCAPES and not depth:
            return _ESCAPES[part]
        elif part in ("\\h", "\\s"):
            return _ESCAPES[part][1:-1]
        elif part == "\\H" or (part == "\\Z" and depth):
            raise NotPlain(f"{part} in brackets is not read here")
        elif part == "\\e":
            return _ESCAPES[part]
        return part

    return _PART.sub(put, pattern)
