"""What a server answered, read byte by byte, wherever it was seen from: the one reader of HTTP answers.

Called by the fact `http` alone, with what a socket brings or with what curl carried from a host; both see the same
bytes, so both end in the same verdict. The parser is httptools (llhttp, Node's), which keeps to RFC 9112; of what that
leaves to a client it takes bare line feeds (2.2), folded header lines (5.2) and Transfer-Encoding before Content-Length
(6.3). Interim answers (1xx) come before the one that counts. What a body says of its own encoding is believed, undone
within bounds, or told as unread: nothing may be denied of what was not seen.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from infratest.cleaning import literal
from infratest.facts.http.reply import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of a body that are kept, of all that stands before it, and of an answer as it comes.
LIMIT, HEAD = 2**20, 2**16
RAW = LIMIT + HEAD

#: How a connection ended: closed by the server, broken off, or cut by us because there was enough.
CLOSED, BROKEN, ENOUGH = "closed", "broken", "enough"

#: Bytes of a page in which it says its character set.
SCANNED = 1024

#: Beginnings of the names of character sets that Python decodes as they say, in bounded time.
CHARSETS = (
    "utf-8", "utf8", "utf-16", "utf-32", "us-ascii", "ascii", "iso-8859-", "iso8859-", "latin", "windows-125", "cp125",
    "koi8-", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
)  # fmt: skip


class Incoming:
    """An answer that comes in.

    Attributes:
        done: nothing that may still come changes it. problem: why it is none, in words. version: of HTTP, by which it
        comes.
    """

    def __init__(self, headless: bool = False) -> None:
        """`headless`: it answers HEAD, so nothing follows its head, whatever that says."""
        self.done = False
        self._headless = headless
        self.problem, self.version = "", "1.1"
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._begin = bytearray()
        self._size = 0
        self._complete = self._interim = False
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_chunked_length=True, lenient_optional_cr_before_lf=True
        )

    @property
    def begun(self) -> bool:
        """Whether anything came that is more than the beginning of a status line."""
        return bool(self.problem) or b"\n" in self._begin

    @property
    def empty(self) -> bool:
        """Whether nothing came at all."""
        return not self._size

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        # Cut where the head must be over, so that the verdict does not depend on the pieces that an answer came in.
        for piece in (data[: max(0, HEAD - self._size)], data[max(0, HEAD - self._size) :]):
            if piece and not self.done:
                self._take(piece[: RAW - self._size])

    def _take(self, data: bytes) -> None:
        first = data if self.begun else bytes(self._begin) + data
        self._size += len(data)
        self._begin += data[: HEAD - len(self._begin)]
        start = bytes(self._begin[:7])
        if start != b"HTTP/1."[: len(start)]:
            self.fail(f"it does not begin as HTTP/1 does, but with {_shown(self._begin)}")
            return
        if self.begun:  # of less than a status line nothing is said, for curl does not pass it on
            self._parse(first)
        if self._status is None and self._size >= HEAD:
            self.fail("its head is longer than 64 KiB")
        self.done = self.done or self._complete or len(self._body) > LIMIT or self._size >= RAW

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._complete = True
        except HttpParserError as error:
            if not self._complete:
                self.fail(f"it is no HTTP/1 that can be read: {literal(str(error))}")

    def reply(self, seconds: float, ended: str) -> Reply:
        """Return what it comes to.

        Args:
            seconds: it took. ended: how the connection did.
        """
        headers = tuple((_text(name).lower(), _text(value.strip(b" \t"))) for name, value in self._headers)
        problem = self.problem or self._short(ended)
        if problem or self._status is None:
            return Reply(None, seconds, refused=problem, silent=not self.begun)
        size = len(self._body) if self._whole else None
        if self._headless:
            return Reply(self._status, seconds, headers, size=size, version=self.version)
        body, unread = self._content(dict(headers))
        return Reply(self._status, seconds, headers, body, unread, size=size, version=self.version)

    @property
    def _whole(self) -> bool:
        """Whether all of the body is there, and not only what is kept of it."""
        return len(self._body) <= LIMIT and (self._complete or self._size < RAW)

    def _short(self, ended: str) -> str:
        """Return what is missing, in words; empty where all is there, or more than is kept."""
        if self._complete or len(self._body) > LIMIT or (self._status is not None and self._size >= RAW):
            return ""
        if self.empty:
            return "it hung up without an answer" if ended == CLOSED else "the connection was broken off"
        if self._status is None:
            return "it broke off within the head of its answer"
        lengths = {name.lower(): value for name, value in self._headers}
        coding = lengths.get(b"transfer-encoding")  # it goes before a length: RFC 9112, 6.3
        measured = b"content-length" in lengths if coding is None else _last_coding(coding) == b"chunked"
        if measured or ended != CLOSED:
            return f"it broke off after {len(self._body)} bytes of the body"
        return ""

    def fail(self, words: str) -> None:
        """Take no more: what comes is no answer, for this reason."""
        self.problem = self.problem or words
        self.done = True

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status is None and not self._complete:
            if b"\0" in value:
                self.fail(f"its header {_text(name)} holds a NUL")
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if self.version != "2" and version in ("1.0", "1.1"):
            self.version = version
        if version not in ("1.0", "1.1"):
            self.fail(f"it is HTTP {version}, which was not asked for")
        elif status < 100:
            self.fail(f"its status is {status:03}, which is none")
        elif _blank_first(bytes(self._begin)):
            self.fail("a blank begins its first header line, so what it belongs to is not known")
        elif status < 200 and status != 101:
            self._interim = True
            self._headers.clear()
        else:
            self._status = status
            self._complete = self._headless

    def on_body(self, data: bytes) -> None:
        if not self._complete:
            self._body += data[: LIMIT + 1 - len(self._body)]

    def on_message_complete(self) -> None:
        if not self._interim:
            self._complete = self._complete or self._status is not None
        self._interim = False

    def _content(self, headers: dict[str, str]) -> tuple[str, str]:
        """Return the body as text, and what of it was not read, in words."""
        data, unread = bytes(self._body), ""
        if not self._whole:
            unread = "it is longer than the 1 MiB that are looked at"
        for coding in _codings(headers):
            data, problem = _undone(data, coding)
            unread = unread or problem
        charset = charset_of(headers, data[:SCANNED].decode("latin-1"))
        try:
            if charset.startswith(CHARSETS):
                return data[:LIMIT].decode(charset), unread
            problem = f"it is in {literal(charset, 40)}, a character set that is not read here"
        except (UnicodeDecodeError, LookupError):
            problem = f"it is no text in {charset}"
        return data[:LIMIT].decode("utf-8", "replace"), unread or problem


def _blank_first(begin: bytes) -> bool:
    """Whether a blank stands where the first header line of an answer begins: RFC 9112, 2.2."""
    rows = iter(begin.split(b"\n"))
    for row in rows:
        if not row.startswith(b"HTTP/"):
            return False
        following = next(rows, b"")
        if following[:1] in (b" ", b"\t"):
            return True
        while following.strip(b"\r"):
            following = next(rows, b"")
        if row[9:10] != b"1":
            return False
    return False


def _last_coding(value: bytes) -> bytes:
    return value.rpartition(b",")[2].strip().lower()


def _codings(headers: dict[str, str]) -> Iterator[str]:
    """Return what was done to a body, the last first: RFC 9110, 8.4 and RFC 9112, 6.1."""
    for header in ("transfer-encoding", "content-encoding"):
        for coding in reversed(headers.get(header, "").split(",")):
            if coding.strip().lower() not in ("", "identity", "chunked"):
                yield coding.strip().lower()


def _undone(data: bytes, coding: str) -> tuple[bytes, str]:
    """Return data without a coding, at most LIMIT + 1 bytes, and what of it could not be read, in words."""
    if coding not in ("gzip", "x-gzip", "deflate"):
        # What stands in it as it is says nothing of the text: two letters are found in any compressed kilobyte.
        return b"", f"it is encoded as {literal(coding, 40)}, which is not read here"
    import zlib  # few answers need it

    # `deflate` is zlib's format, and for some servers the bare stream within: RFC 9110, 8.4.1.2.
    bare = coding == "deflate" and (data[:1] or b"\x78")[0] & 0x0F != 8
    kept, wanted = bytearray(), {"deflate": -15 if bare else 15}.get(coding, 31)
    try:
        while data and len(kept) <= LIMIT:
            stream = zlib.decompressobj(wanted)
            kept += stream.decompress(data, LIMIT + 1 - len(kept))
            if not stream.eof and len(kept) <= LIMIT:
                return bytes(kept), f"its {coding} breaks off"
            data = stream.unused_data if wanted == 31 else b""
    except zlib.error as error:
        return bytes(kept), f"it is no {coding}, as it says: {error}"
    too_long = len(kept) > LIMIT
    return bytes(kept), "it is longer than the 1 MiB that are looked at" if too_long else ""


def charset_of(headers: dict[str, str], body: str) -> str:
    """Return the character set that a body is said to be in, in lower case; UTF-8 where nothing is said.

    A page of HTML may say it by itself (HTML Standard, 13.2.3.2): in a `meta` element at its beginning.
    """
    kind, *parameters = headers.get("content-type", "").split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        value = value.strip().strip("\"'").lower()
        if name.strip().lower() == "charset" and value:
            return value
    said = body[:SCANNED].lower() if kind.strip().lower() in ("text/html", "application/xhtml+xml") else ""
    for meta in said.split("<meta")[1:]:
        _, _, value = meta.partition(">")[0].partition("charset=")
        value = value.strip("\"' ")
        name = value[: next((at for at, one in enumerate(value) if one in "\"'; />"), len(value))]
        if name and not name.startswith("utf-16"):  # which it would not be readable in
            return name
    return "utf-8"


def _text(data: bytes) -> str:
    """Return a header as text: UTF-8, which servers use today, else what the standard once said (latin-1)."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _shown(data: bytes | bytearray) -> str:
    return literal(bytes(data).decode("latin-1"), 40)
