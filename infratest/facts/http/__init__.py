"""The fact `http`: what a GET of a URL brings. Argument: the URL (http or https).

From the host it is asked with curl, which carries the answer to us as it came; from the controller by a socket, which
can connect to a host's endpoint and keep the URL's Host header and TLS name. Both are read by `answer`, verify
certificates, follow no redirect and use no proxy. A server that refuses, does not answer in time or shows a bad
certificate is a value: it is what was looked at.
"""

from __future__ import annotations

import _socket
from time import monotonic

from infratest import __version__
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._shell import BYTES, ONE_LINE, PUT, lines, number, plain_bytes, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.facts.http.reply import Reply
from infratest.web_address import web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

# Standard output has, for each URL, `url N`, the answer by `bytes`, and `.`; standard error `N EXIT words`. Eight URLs
# are asked at the same time: each prints its own answer before it passes on those behind it. -q no ~/.curlrc, -g braces
# are text, --raw nothing is decoded. Through descriptor 3 the answer goes to the pipe while what -w writes is caught.
SNIPPET = r"""
one() {
  answer=$( {
    words=$(curl -q -g -sS -i --raw --path-as-is --noproxy '*' --proto =http,https --http1.1 \
      --connect-timeout PATIENCE --max-time PATIENCE -A AGENT -o /dev/fd/3 \
      -w '=%{http_code} %{time_total} %{time_starttransfer}=' "$2" 2>&1)
    status=$?
    one_line "$words"
    printf '%s %s %s\n' "$1" "$status" "$line" >&2
  } 3>&1 </dev/null | head -c RAW | bytes )
  printf 'url %s\n' "$1"
  put "$answer"
  printf '\n.\n'
}
together() {
  if [ $# -le 2 ]; then
    one "$@"
  else
    { shift 2; together "$@"; } | { one "$1" "$2"; cat; }
  fi
}
n=0
for url in "$@"; do
  n=$((n + 1))
  set -- "$@" "$n" "$url"
  shift
done
while [ $# -gt 16 ]; do
  together "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "${10}" "${11}" "${12}" "${13}" "${14}" "${15}" "${16}"
  shift 16
done
together "$@"
"""

#: curl's exit statuses (curl(1), EXIT CODES) that tell of the server, not of us: no HTTP, name not known, refused, an
#: answer that is none, broken off, timed out, bad TLS handshake or certificate, empty, broken in sending or receiving,
#: HTTP/2 and 3. 43 is what some versions say of a header that they cannot read.
REFUSALS = frozenset({1, 6, 7, 8, 16, 18, 28, 35, 43, 51, 52, 55, 56, 60, 90, 91, 92, 95, 96})
NAME_UNKNOWN, REFUSED, LATE = 6, 7, 28
#: The connection ended as the server wanted: the answer is complete, shorter than it says, or none at all.
ENDED = frozenset({0, 18, 52})
#: What came is believed; whether it is an answer, its reader says.
CAME = frozenset({0, 18, 23, 52, 55, 56})


class HttpFact(LooksForEach, LooksFromController):
    """URLs. Seconds that a server has for its whole answer: seen from the controller, and from a host."""

    encoded = True
    at_once = True
    patience: ClassVar[float] = 10
    patience_there: ClassVar[float] = 8

    def snippet(self) -> str:
        from infratest.facts.http.answer import RAW

        script = SNIPPET.replace("PATIENCE", f"{self.patience_there:g}").replace("RAW", str(RAW + 1))
        script = script.replace("AGENT", f"infratest/{__version__}")
        return without("curl", "curl is not installed on this host") + ONE_LINE + PUT + BYTES + script

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (web_address(argument[0]).text,)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = iter(lines(self.readable(answer).out))
        answers = {row: plain_bytes(rows) for row in rows}
        ended = {}
        for row in lines(answer.err):
            index, _, rest = row.partition(" ")
            ended[f"url {index}"] = unescaped(rest)
        if not answers or not ended:
            raise FactError(f"of {len(arguments)} URLs asked for, none was answered")
        return {
            argument: _reply(ended[place], answers[place])
            for argument, place in ((argument, f"url {index}") for index, argument in enumerate(arguments, 1))
            if place in ended and place in answers
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: _look(argument[0], deadline, self.patience, connect) for argument in arguments}


def _reply(row: str, data: bytes) -> Reply | FactError:
    """Return what curl brought from a host; a failure where it could not look."""
    from infratest.facts.http.answer import BROKEN, CLOSED, Incoming

    status, _, rest = row.partition(" ")
    exit = number(status, "curl's exit status")
    before, mark, written = rest.partition("=")
    times, end, after = written.partition("=")
    words = f"{before}{after}".strip()
    words = words.partition(") ")[2].split("\n")[0] or words
    fields = times.replace(",", ".").split(" ")
    if not mark or not end or len(fields) != 3:
        return FactError(f"curl could not look: {words[:200] or f'exit {exit}'}")
    seconds, first = float(fields[1]), float(fields[2])
    incoming = Incoming()
    incoming.feed(data)
    if incoming.done and not incoming.problem:
        return incoming.reply(seconds, BROKEN)
    if exit in CAME and (exit != 23 or incoming.done):
        return incoming.reply(seconds, CLOSED if exit in ENDED else BROKEN)
    if exit not in REFUSALS:
        return FactError(f"curl could not look: {words[:200] or f'exit {exit}'}")
    late = exit == LATE and "Resolving" not in words
    silent = exit == REFUSED or (late and not first and incoming.empty)
    return Reply(None, seconds, refused=incoming.problem or words, silent=silent)


def _look(text: str, deadline: Deadline, seconds: float, connect: Connect) -> Reply:
    from infratest.facts.http.answer import Incoming
    from infratest.facts.http.client import get

    url = web_address(text)
    address, port = connect(url.host, url.port)
    patience = deadline.at_most(seconds)
    began, incoming = monotonic(), Incoming()
    try:
        ended = get(url, address, port, patience, incoming)
        return incoming.reply(monotonic() - began, ended)
    except TimeoutError:
        if deadline.passed:
            raise DeadlineExceeded(f"{text}: no complete answer before our own deadline") from None
        return Reply(
            None, monotonic() - began, refused=f"no complete answer within {seconds:g} s", silent=incoming.empty
        )
    except _socket.gaierror as error:
        return Reply(None, monotonic() - began, refused=f"could not resolve {address}: {error.args[-1]}")
    except OSError as error:
        secure = hasattr(error, "reason")  # TLS's own: something is there
        return Reply(None, monotonic() - began, refused=_words(error), silent=not secure)


def _words(error: OSError) -> str:
    """Return why in words, without numbers that say nothing more."""
    certificate = getattr(error, "verify_message", "")
    if certificate:
        return f"certificate verify failed: {certificate}"
    return str(error) if hasattr(error, "reason") else (error.strerror or str(error)).lower()
