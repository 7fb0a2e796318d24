"""What came back from a URL, as a value. Made by the fact `http` and by its reader of answers."""

from __future__ import annotations

from infratest.record import Record

#: Why a certificate is not trusted; OTHER where the program that looked has words of its own for it.
EXPIRED, EARLY, OTHER_NAME, UNKNOWN_AUTHORITY, OTHER = "expired", "early", "other name", "unknown authority", "other"


class Reply(Record):
    """What came back from a URL.

    Args:
        status: None where no answer came. seconds: until the answer was complete. headers: names in lower case.
        body: as text. unread: what of the body is not in it, or not as it is, in words; nothing may be denied of that.
        refused: why there is no answer, in words; empty where one came. silent: nothing answers there at all; not so
        where the name is not known, or where something answers that is no whole HTTP.
        distrust: where its certificate is the reason, one of the words above. size: bytes of the body as they came,
        None where there are more than are looked at. hops: redirects that were followed, the status of each and where
        it led. lookup, connect, handshake, first: seconds for the name, the connection and TLS, each by itself, and
        until the first byte from the beginning; None where that did not take place or is not known. version: of HTTP by
        which it came: `1.0`, `1.1` or `2`.
    """

    status: int | None
    seconds: float
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    unread: str = ""
    refused: str = ""
    silent: bool = False
    distrust: str = ""
    size: int | None = None
    hops: tuple[tuple[int, str], ...] = ()
    lookup: float | None = None
    connect: float | None = None
    handshake: float | None = None
    first: float | None = None
    version: str = "1.1"

    @property
    def location(self) -> str:
        """Where it says that what is asked for is, as it says so; empty where it says nothing."""
        return next((value for name, value in self.headers if name == "location"), "")

    def in_words(self) -> str:
        """Return the answer as it looks on the wire: status, headers, and the body behind an empty line."""
        from infratest.units import human

        if self.status is None:
            return f"no answer after {human(self.seconds, 's')}: {self.refused}"
        unread = f" (of the body, {self.unread})" if self.unread else ""
        headers = "".join(f"{name}: {value}\n" for name, value in self.headers)
        hops = "".join(f"{status} led to {url}\n" for status, url in self.hops)
        version = "" if self.version == "1.1" else f" by HTTP/{self.version}"
        return f"{hops}answered {self.status}{version} in {human(self.seconds, 's')}{unread}\n{headers}\n{self.body}"
