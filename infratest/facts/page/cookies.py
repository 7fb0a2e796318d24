"""The cookies of one session: kept from answers, sent where they belong. By Python's own jar (http.cookiejar).

Called by the session that goes through pages. Kept in memory alone, and gone with the session.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import Request

#: Cookies that a session keeps, as many as browsers keep of a domain; servers may make more, and get none back.
MOST = 180


class Cookies:
    """A session's cookies."""

    def __init__(self) -> None:
        self._jar = CookieJar(DefaultCookiePolicy(rfc2965=False, netscape=True))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({cookie.name for cookie in self._jar if not cookie.is_expired()}))

    def keep(self, url: str, headers: Sequence[tuple[str, str]]) -> None:
        """Keep what an answer sets.

        Args:
            headers: of the answer, names in small letters.
        """
        if len(self._jar) < MOST:
            self._jar.extract_cookies(_Answer(headers), Request(url))  # type: ignore[arg-type]  # noqa: S310 - opens nothing

    def header(self, url: str) -> str:
        """Return the header that sends what belongs there, empty without any."""
        request = Request(url)  # noqa: S310 - opens nothing
        self._jar.add_cookie_header(request)
        value = request.get_header("Cookie") or ""
        return f"Cookie: {value}" if value and _printable(value) else ""


class _Answer:
    """An answer as the jar asks for it."""

    def __init__(self, headers: Sequence[tuple[str, str]]) -> None:
        self._message = Message()
        for name, value in headers:
            kept = _as_browsers_keep(value) if name == "set-cookie" and _printable(value) else ""
            if kept:
                self._message["Set-Cookie"] = kept

    def info(self) -> Message:
        return self._message


def _printable(value: str) -> bool:
    """Whether a value is without control characters but tabs: RFC 6265bis, 5.6."""
    return value.replace("\t", "").isprintable()


def _as_browsers_keep(value: str) -> str:
    """Return a cookie as the jar reads it as browsers do, empty where they refuse it: RFC 6265bis, 5.6 and 5.7."""
    first, *rest = value.split(";")
    parts = [(part.partition("=")[0].strip().lower(), part.partition("=")[2].strip()) for part in rest]
    said = dict(parts)
    name = first.partition("=")[0].strip().lower()
    bound = said.get("path") == "/" and not said.get("domain")
    if name.startswith("__host-") and not bound:
        return ""
    secure_alone = name.startswith(("__secure-", "__host-")) or "partitioned" in said
    if "secure" not in said and (secure_alone or said.get("samesite", "").lower() == "none"):
        return ""
    kept = [f"{word}={_year_of_four(text)}" if word == "expires" else f"{word}={text}" if text else word
            for word, text in parts if not _passed_over(word, text)]  # fmt: skip
    return "; ".join((first, *kept))


def _passed_over(word: str, text: str) -> bool:
    """Whether browsers read a cookie as if this attribute were not there: RFC 6265, 5.2.2 to 5.2.4."""
    if word == "max-age":
        digits = text.removeprefix("-")
        return not (digits.isascii() and digits.isdigit())
    return (word == "domain" and not text.strip(".")) or (word == "path" and not text.startswith("/"))


def _year_of_four(date: str) -> str:
    """Return a date with a year of four digits: 70 to 99 are of the last century, others of this (RFC 6265, 5.1.1)."""

    def whole(found: re.Match[str]) -> str:
        return f"{found[1]}{'19' if found[2] >= '70' else '20'}{found[2]}"

    return re.sub(r"(\b\d{1,2}[- ][A-Za-z]{3}[- ])(\d{2})(?!\d)", whole, date)
