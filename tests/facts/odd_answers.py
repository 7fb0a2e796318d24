"""What servers say that is odd, and what is right to make of it: written by hand."""

from __future__ import annotations

import gzip
import zlib

LONGER = "it is longer than the 1 MiB that are looked at"
OK, SIZED = b"HTTP/1.1 200 OK\r\n", b"Content-Length: 5\r\n\r\nhello"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n\r\n"

#: What a server says -> status, body and what of it could not be read (its beginning); None where that is no answer.
ODD = {
    "103 first": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + SIZED, (200, "hello", "")),
    "100 twice": (b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + b"HTTP/1.1 404 No\r\n" + SIZED, (404, "hello", "")),
    "103 alone": (b"HTTP/1.1 103 Early Hints\r\n\r\n", None),
    "103 again and again": (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000, None),
    "101": (b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello", (101, "", "")),
    "status 000": (b"HTTP/1.1 000 X\r\n" + SIZED, None),
    "status 099": (b"HTTP/1.1 099 X\r\n" + SIZED, None),
    "status 20": (b"HTTP/1.1 20 X\r\n" + SIZED, None),
    "status 999": (b"HTTP/1.1 999 X\r\n" + SIZED, (999, "hello", "")),
    "no reason": (b"HTTP/1.1 200\r\n" + SIZED, (200, "hello", "")),
    "latin-1 reason": (b"HTTP/1.1 200 caf\xe9\r\n" + SIZED, (200, "hello", "")),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 5\nX: y\n\nhello", (200, "hello", "")),
    "chunks": (OK + CHUNKED + b"3;x=1\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n", (200, "hello", "")),
    "chunks that break off": (OK + CHUNKED + b"5\r\nhel", None),
    "chunks without the last": (OK + CHUNKED + b"5\r\nhello\r\n", None),
    "chunks of no size": (OK + CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n", None),
    "chunks and a length": (OK + b"Content-Length: 3\r\n" + CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", (200, "hello", "")),
    "identity and a length": (OK + b"Transfer-Encoding: identity\r\n" + SIZED, (200, "hello", "")),
    "gzip as transfer coding": (
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n19\r\n" + gzip.compress(b"hello", mtime=0) + b"\r\n0\r\n\r\n",
        (200, "hello", ""),
    ),
    "longer than said": (OK + b"Content-Length: 4\r\n\r\nhello", (200, "hell", "")),
    "shorter than said": (OK + b"Content-Length: 9\r\n\r\nhello", None),
    "two lengths": (OK + b"Content-Length: 4\r\n" + SIZED, None),
    "a negative length": (OK + b"Content-Length: -5\r\n\r\nhello", None),
    "a length in words": (OK + b"Content-Length: five\r\n\r\nhello", None),
    "1.0 without a length": (b"HTTP/1.0 200 OK\r\n\r\nhello", (200, "hello", "")),
    "1.1 without a length": (OK + b"\r\nhello", (200, "hello", "")),
    "204 with a body": (b"HTTP/1.1 204 No\r\n" + SIZED, (204, "", "")),
    "304 with a length": (b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", (304, "", "")),
    "another answer behind it": (OK + SIZED + b"HTTP/1.1 500 No\r\n\r\n", (200, "hello", "")),
    "a blank before the first header": (OK + b" X: y\r\n" + SIZED, None),
    "a NUL in a header": (OK + b"X: a\0b\r\n" + SIZED, None),
    "a header without a colon": (OK + b"nonsense\r\n" + SIZED, None),
    "a head that breaks off": (OK + b"Content-Le", None),
    "a head without an end": (OK + b"X: y\r\n", None),
    "a head that is too long": (OK + b"X: y\r\n" * 20_000 + SIZED, None),
    "HTTP/0.9": (b"hello world\n", None),
    "HTTP/2": (b"HTTP/2 200 OK\r\n" + SIZED, None),
    "HTTP/1.2": (b"HTTP/1.2 200 OK\r\n" + SIZED, None),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", None),
    "a line break first": (b"\r\n" + OK + SIZED, None),
    "gzip": (GZIP + gzip.compress(b"hello"), (200, "hello", "")),
    "gzip in two members": (GZIP + gzip.compress(b"hel") + gzip.compress(b"lo"), (200, "hello", "")),
    "gzip twice": (
        OK + b"Content-Encoding: gzip, x-gzip\r\n\r\n" + gzip.compress(gzip.compress(b"hello")), (200, "hello", ""),
    ),
    "gzip that is none": (GZIP + b"hello", (200, "", "it is no gzip")),
    "gzip that breaks off": (GZIP + gzip.compress(b"hello" * 99)[:-9], (200, "hello" * 99, "its gzip breaks off")),
    "a gzip bomb": (GZIP + gzip.compress(b"x" * 50_000_000), (200, "x" * 2**20, LONGER)),
    "deflate": (OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"hello"), (200, "hello", "")),
    "bare deflate": (OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"hello")[2:-4], (200, "hello", "")),
    "brotli": (OK + b"Content-Encoding: br\r\n\r\nhello", (200, "", "it is encoded as 'br'")),
    "gzip within an encoding that is not known": (
        OK + b"Content-Encoding: gzip, zstd\r\n\r\nhello", (200, "", "it is encoded as 'zstd'"),
    ),
    "latin-1, as it says": (OK + b"Content-Type: text/html; charset=ISO-8859-1\r\n\r\nh\xe9llo", (200, "h\xe9llo", "")),
    "latin-1": (OK + b"\r\nh\xe9llo", (200, "h\ufffdllo", "it is no text in utf-8")),
    "utf-16, as it says": (
        OK + b"Content-Type: text/plain; charset=UTF-16LE\r\n\r\n" + "hello".encode("utf-16-le"), (200, "hello", ""),
    ),
    "utf-32, as it says": (
        OK + b"Content-Type: text/plain; charset='utf-32'\r\n\r\n" + "hello".encode("utf-32"), (200, "hello", ""),
    ),
    "a character set that nobody reads": (
        OK + b"Content-Type: text/plain; charset=IBM037\r\n\r\n" + "hello".encode("cp037"),
        (200, None, "it is in 'ibm037', a character set that is not read here"),
    ),
    "a character set without a name": (OK + b"Content-Type: text/x; charset=\r\n\r\nh\xc3\xa9", (200, "h\u00e9", "")),
    "a NUL": (OK + b"\r\na\0b", (200, "a\0b", "")),
    "more than is kept": (OK + b"\r\n" + b"x" * 2 * 2**20, (200, "x" * 2**20, LONGER)),
    "small chunks without number": (OK + CHUNKED + b"1\r\nx\r\n" * 300_000 + b"0\r\n\r\n", (200, None, LONGER)),
}  # fmt: skip
