"""What came back from a URL, as a value. Made by the fact `http` and by its reader of answers."""

from __future__ import annotations

from infratest.record import Record


class Reply(Record):
    """What came back from a URL.

    Args:
        status: None where no answer came. seconds: until the answer was complete. headers: names in lower case.
        body: as text. unread: what of the body is not in it, or not as it is, in words; nothing may be denied of that.
        refused: why there is no answer, in words; empty where one came. silent: nothing answers there at all; not so
        where the name is not known, or where something answers that is no whole HTTP.
    """

    status: int | None
    seconds: float
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    unread: str = ""
    refused: str = ""
    silent: bool = False

    def in_words(self) -> str:
        """Return the answer as it looks on the wire: status, headers, and the body behind an empty line."""
        from infratest.units import human

        if self.status is None:
            return f"no answer after {human(self.seconds, 's')}: {self.refused}"
        unread = f" (of the body, {self.unread})" if self.unread else ""
        headers = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return f"answered {self.status} in {human(self.seconds, 's')}{unread}\n{headers}\n{self.body}"
