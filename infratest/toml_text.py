"""TOML as a value, its dates and times as they are written. Called by structured_text when a sentence asks.

tomllib makes moments of them, which do not say whether there was a `Z` or `+00:00`, a `T` or a blank. So a text with
any is read once more with another date in the place of each, by which it is known which text stands where.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any

from infratest.numeral import Numeral

#: A date, a time, or both as TOML 1.0 writes them.
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
FIRST = date(1, 1, 1)
_MOMENT = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[Tt ]{_TIME}(?:[Zz]|[+-]\d\d:\d\d)?)?|{_TIME}", re.ASCII)


def value_of(text: str) -> Any:
    """Return the value of a text. Raises ValueError, which names the line."""
    try:
        value = tomllib.loads(text, parse_float=Numeral)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:
        if "digits" not in str(error):
            raise
        raise ValueError("a whole number in it has more than 64 bits, which TOML does not have") from None
    return _as_written(value, text) if any(True for _ in _moments(value)) else value


def _moments(value: Any) -> Iterator[Any]:
    if isinstance(value, date | time):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _moments(each)


def _as_written(value: Any, text: str) -> Any:
    """Return a value with the text of each date and time in its place."""
    texts = list(dict.fromkeys(_MOMENT.findall(text)))
    days = {moment: FIRST + timedelta(number) for number, moment in enumerate(texts)}
    marked = tomllib.loads(_MOMENT.sub(lambda moment: str(days[moment[0]]), text))
    return _merged(value, marked, {day: moment for moment, day in days.items()})


def _merged(value: Any, marked: Any, texts: dict[date, str]) -> Any:
    if isinstance(value, dict):
        # What looks like a date in a key is another one there, and keys have an order.
        return {
            key: _merged(each, other, texts) for (key, each), other in zip(value.items(), marked.values(), strict=True)
        }
    if isinstance(value, list):
        return [_merged(each, other, texts) for each, other in zip(value, marked, strict=True)]
    return texts[marked] if isinstance(value, date | time) else value
