"""The cookies of one session: kept from answers, sent where they belong. By Python's own jar (http.cookiejar).

Called by the session that goes through pages. Kept in memory alone, and gone with the session.
"""

from __future__ import annotations

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
        return f"Cookie: {value}" if value and value.isprintable() else ""


class _Answer:
    """An answer as the jar asks for it."""

    def __init__(self, headers: Sequence[tuple[str, str]]) -> None:
        self._message = Message()
        for name, value in headers:
            if name == "set-cookie" and value.isprintable():
                self._message["Set-Cookie"] = value

    def info(self) -> Message:
        return self._message
