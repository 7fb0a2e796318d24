"""The fact `http`: what a GET of a URL brings. Argument: the URL (http or https).

From the host it is asked with curl, one after the other; from the controller with urllib3, which can connect to a
host's endpoint and keep the URL's Host header and TLS name. Both verify certificates, follow no redirect and use no
proxy. A server that refuses, does not answer in time or shows a bad certificate is a value: it is what was looked at.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from infratest import __version__
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._shell import ONE_LINE, lines, number, positional, unescaped, without
from infratest.facts.base import Answer, Argument, LooksFromController
from infratest.found import Reply

if TYPE_CHECKING:
    from infratest.facts.base import Connect

#: Bytes of a body that are kept.
LIMIT = 2**20

# Standard output has `url N`, then the head and body behind `|` and `.`, as in the fact `content`; standard error one
# line for each URL: `N EXIT STATUS SECONDS words`. -q no ~/.curlrc, -g braces are text. Through descriptor 3 head and
# body go to the pipe while what -w writes is caught.
SNIPPET = r"""
n=0
for url in "$@"; do
  n=$((n + 1))
  echo "url $n"
  {
    told=$(curl -q -g -sS -i --noproxy '*' --proto =http,https --connect-timeout PATIENCE --max-time PATIENCE \
      -A AGENT -o /dev/fd/3 -w '=%{http_code} %{time_total}=' "$url" 2>&1)
    status=$?
    one_line "$told"
    printf '%s %s %s\n' "$n" "$status" "$line" >&2
  } 3>&1 </dev/null | head -c LIMIT | sed 's/^/|/'
  printf '\n.\n'
done
""".replace("LIMIT", str(LIMIT + 2**16)).replace("AGENT", f"infratest/{__version__}")

#: curl's exit statuses that tell of the server, not of us: name not known, refused, broken off, timed out, bad TLS
#: handshake or certificate, empty or broken answer (curl(1), EXIT CODES).
REFUSALS = frozenset({6, 7, 8, 16, 18, 28, 35, 51, 52, 55, 56, 60, 90, 91, 92, 95, 96})
#: Those where nothing came back: refused, timed out, hung up at once.
SILENT = frozenset({7, 28, 52, 55, 56})
#: What -w writes, where no status came back.
NO_STATUS = "000"
#: What -w writes, wherever it stands among curl's own words: the status and the seconds.
WRITTEN = re.compile(r"=(\d{3}) ([\d.,]+)=")
#: Among others: the answer is no HTTP/1.
UNSUPPORTED = 1
#: The pipe was shut: the answer is longer than what is kept.
WRITE_ERROR = 23


#: Errors that tell of a name nobody knows, or of something that answers and is no HTTP (or has a bad certificate).
NOT_SILENT = (urllib3.exceptions.NameResolutionError, urllib3.exceptions.SSLError, ssl.SSLError, ValueError)


class HttpFact(LooksFromController):
    """URLs. Seconds that a server has for its whole answer: seen from the controller, and from a host.

    On the host all URLs are asked by one snippet, which itself may not take for ever: two servers that hang there make
    it unknown.
    """

    patience: ClassVar[float] = 10
    patience_there: ClassVar[float] = 8

    def ask(self, arguments: Sequence[Argument]) -> str:
        script = SNIPPET.replace("PATIENCE", f"{self.patience_there:g}")
        return without("curl", "curl is not installed on this host") + ONE_LINE + positional(arguments) + script

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        self.readable(answer)
        answers = _blocks(lines(answer.out))
        told = {}
        for row in lines(answer.err):
            index, _, rest = row.partition(" ")
            told[index] = unescaped(rest)
        if len(answers) != len(arguments) or any(str(index) not in told for index in range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} URLs asked for, {min(len(answers), len(told))} were answered")
        return {
            argument: _curl_reply(told[str(index)], answers[index - 1]) for index, argument in enumerate(arguments, 1)
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: _look(argument[0], deadline, self.patience, connect) for argument in arguments}


def _blocks(rows: list[str]) -> list[str]:
    found: list[list[str]] = []
    closed = True
    for row in rows:
        if closed and row.startswith("url "):
            found.append([])
            closed = False
        elif row == ".":
            closed = True
        elif not closed:
            found[-1].append(row[1:])
    return ["\n".join(block) for block in found]


def _curl_reply(told: str, text: str) -> Reply:
    status, _, words = told.partition(" ")
    exit_status = number(status, "curl's exit status")
    found = WRITTEN.search(words)
    if found is None:
        raise FactError(f"curl could not look: {words.strip()[:200] or f'exit {exit_status}'}")
    words = (words[: found.start()] + words[found.end() :]).strip()
    seconds = float(found[2].replace(",", "."))
    if exit_status in REFUSALS or (exit_status == UNSUPPORTED and "HTTP/0.9" in words):
        silent = exit_status in SILENT and found[1] == NO_STATUS and "Resolving" not in words
        return Reply(
            status=None, seconds=seconds, refused=words.partition(") ")[2].split("\n")[0] or words, silent=silent
        )
    head, body = _head_and_body(text)
    size = len(body.encode("utf-8", "replace"))
    if exit_status not in (0, WRITE_ERROR) or (exit_status == WRITE_ERROR and size <= LIMIT):
        raise FactError(f"curl could not look: {words or f'exit {exit_status}'}")
    return Reply(status=int(found[1]), seconds=seconds, headers=head, body=body[:LIMIT], whole=size <= LIMIT)


def _head_and_body(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """Split what `curl -i` wrote: the last head counts (`100 Continue` and the like come before it)."""
    head, body = "", text
    while body.startswith("HTTP/"):
        head, gap, body = body.partition("\r\n\r\n")
        if not gap:
            break
        status = head.split("\r\n", 1)[0].split(" ")[1:2]
        if not (status and status[0].startswith("1")):
            break
    pairs = (line.partition(":") for line in head.split("\r\n")[1:])
    return tuple((name.strip().lower(), value.strip()) for name, colon, value in pairs if colon), body


def _look(url: str, deadline: Deadline, seconds: float, connect: Connect) -> Reply:
    parsed = urllib3.util.parse_url(url)
    host = (parsed.host or "").strip("[]")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    address, at = connect(host, port)
    patience = deadline.at_most(seconds)
    began = monotonic()
    connection = _connection(parsed.scheme or "", host, address, at, patience.left)
    watch = Timer(patience.left, _cut, (connection,))
    watch.daemon = True
    watch.start()
    response = None
    try:
        response = _asked(connection, parsed)
        return _reply(response, began)
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        if deadline.passed:
            raise DeadlineExceeded(f"{url}: no complete answer before our own deadline") from None
        late = patience.passed
        words = f"no complete answer within {seconds:g} s" if late else _words(error)
        silent = response is None and _silent(error)
        return Reply(status=None, seconds=monotonic() - began, refused=words, silent=silent)
    finally:
        watch.cancel()
        connection.close()


def _connection(scheme: str, host: str, address: str, port: int, timeout: float) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(
            address,
            port,
            timeout=timeout,
            server_hostname=host,
            assert_hostname=host,
            ssl_context=ssl.create_default_context(),
        )
    return HTTPConnection(address, port, timeout=timeout)


def _asked(connection: HTTPConnection, parsed: urllib3.util.Url) -> HTTPResponse:
    connection.request(
        "GET",
        parsed.request_uri,
        headers={"Host": parsed.netloc or "", "User-Agent": f"infratest/{__version__}", "Accept": "*/*"},
        preload_content=False,
        decode_content=False,
    )
    return connection.getresponse()


def _reply(response: HTTPResponse, began: float) -> Reply:
    kept = bytearray()
    while len(kept) <= LIMIT and (piece := response.read(min(2**16, LIMIT + 1 - len(kept)))):
        kept += piece
    return Reply(
        status=response.status,
        seconds=monotonic() - began,
        headers=tuple((name.lower(), value) for name, value in response.headers.items()),
        body=bytes(kept[:LIMIT]).decode("utf-8", "replace"),
        whole=len(kept) <= LIMIT,
    )


def _silent(error: Exception) -> bool:
    if isinstance(error, http.client.RemoteDisconnected):
        return True  # it hung up without a word
    return not isinstance(error, (*NOT_SILENT, http.client.HTTPException))


def _cut(connection: HTTPConnection) -> None:
    """End a connection whose server drips: time-outs of a socket begin anew with each byte."""
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it had ended by itself


def _words(error: Exception) -> str:
    """Return why in words, without Python's object addresses."""
    text = str(error)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        text = text.rpartition("Failed to establish a new connection: ")[2]
        if text.startswith("[Errno "):
            text = text.partition("] ")[2].lower()  # `connection refused`: the number says nothing more
    return text or type(error).__name__
