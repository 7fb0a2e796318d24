"""INI as a value. Called by structured_text when a sentence asks.

There is no standard of INI: PHP, MySQL and git take `; shown` behind a value for a comment and quotes around it for
none of it, Python and systemd take both for a part of it. Such a value is known in all these ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from configparser import ConfigParser, DuplicateOptionError, DuplicateSectionError, ParsingError
from configparser import Error as IniError
from typing import Any

from infratest.cleaning import literal
from infratest.numeral import SeveralWays

#: A key that stands for the part of an INI file ahead of its first section, and one that no section has.
_TOP, _NO_SECTION = "\0", "\1"

#: What else than letters and digits a key without a value may have: `skip-networking` of my.cnf.
_OF_WORDS = str.maketrans("", "", "-_.")

#: Where a comment begins behind a value: to all who know of such, and to PHP and git, with no blank before it either.
COMMENTS = (re.compile(r"\s[;#]"), re.compile("[;#]"), re.compile(";"))
#: A value in quotes, and what may follow it.
QUOTED = re.compile(r"""(["'])(.*?)\1\s*(?:[;#].*)?""", re.DOTALL)


def value_of(text: str) -> dict[str, Any]:
    """Return the value of a text. Raises ValueError, which names the line."""
    reader = ConfigParser(
        interpolation=None, allow_no_value=True, default_section=_NO_SECTION, empty_lines_in_values=False
    )
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        reader.read_string(f"[{_TOP}]\n{text}")
    except (DuplicateOptionError, DuplicateSectionError) as error:
        twice = error.option if isinstance(error, DuplicateOptionError) else f"[{error.section}]"
        raise ValueError(f"line {(error.lineno or 1) - 1}: {twice} is there twice") from None
    except ParsingError as error:
        line, words = error.errors[0]
        raise ValueError(f"line {line - 1}: {words}") from None
    except IniError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except AttributeError:  # configparser's own word for it, where a line goes on behind a key without a value
        raise ValueError("a line is indented below a key that has no value to go on with") from None
    _refuse_odd_keys(reader)
    made: dict[str, Any] = _values(reader[_TOP])
    for section in reader.sections():
        if section in made:
            raise ValueError(f"{section!r} is a section, and a key ahead of the first one")
        if section != _TOP:
            made[section] = _values(reader[section])
    return made


def _refuse_odd_keys(reader: ConfigParser) -> None:
    """Refuse keys without a value that are no word: else any text would be one, of nothing but keys."""
    for part in reader.values():
        values: Mapping[str, str | None] = dict(part)
        for key, value in values.items():
            if value is None and not key.translate(_OF_WORDS).isalnum():
                raise ValueError(f"{literal(key, 60)} is neither a key with a value nor a word that is a key alone")


def _values(part: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the values of a section, each that readers take for different ones with all that they make of it."""
    made: dict[str, Any] = {}
    for key, value in part.items():
        ways = _ways(value) if value else ()
        made[key] = value if len(ways) < 2 else SeveralWays(value or "", ways, WHY.format(literal(value or "", 60)))
    return made


#: Of a value that is not the same to all readers.
WHY = "the value {} is one text to some readers of INI, and without its comment or its quotes to others"


def _ways(value: str) -> tuple[str, ...]:
    """Return what readers make of a value, first the whole of it."""
    ways = [value]
    for comment in COMMENTS:
        if found := comment.search(value):
            ways.append(value[: found.start()].rstrip())
    if found := QUOTED.fullmatch(value):
        ways.append(found[2])
    ways += [way.replace('"', "") for way in ways]
    return tuple(dict.fromkeys(ways))
