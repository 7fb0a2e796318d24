"""The fact `http`: what a request to a URL brings. Argument: the URL (http or https), and how else it is asked.

From the host it is asked with curl, which carries the answer to us as it came; from the controller by a socket, which
can connect to a host's endpoint and keep the URL's Host header and TLS name. Both are read by `answer`, verify
certificates, follow no redirect and use no proxy unless `request` says otherwise. A server that refuses, does not
answer in time or shows a bad certificate is a value: it is what was looked at.
"""

from __future__ import annotations

from infratest import __version__
from infratest.errors import FactError
from infratest.facts._shell import BYTES, ONE_LINE, PUT, lines, plain_bytes, side_by_side, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

# Standard output has, for each URL, `url N`, the answer by `bytes`, and `.`; standard error `N EXIT words`. -q no
# ~/.curlrc, -g braces are text, --raw nothing is decoded, -K - what is asked comes on standard input. Through
# descriptor 3 the answer goes to the pipe while what -w writes is caught.
SNIPPET = r"""
one() {
  answer=$( {
    words=$(put "$2" | curl -q -g -sS -i --raw --path-as-is --proto =http,https \
      --connect-timeout PATIENCE --max-time PATIENCE -A AGENT -o /dev/fd/3 \
      -w 'WRITTEN' -K - 2>&1)
    status=$?
    one_line "$words"
    printf '%s %s %s\n' "$1" "$status" "$line" >&2
  } 3>&1 </dev/null | head -c RAW | bytes )
  printf 'url %s\n' "$1"
  put "$answer"
  printf '\n.\n'
}
"""
#: URLs that a host asks at the same time.
AT_ONCE = 32


class HttpFact(LooksForEach, LooksFromController):
    """URLs."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts.http.answer import HEAD, RAW
        from infratest.facts.http.curl import MOST, WRITTEN

        limit = RAW + 1 + MOST * HEAD  # each redirect that is followed has a head of its own
        script = SNIPPET.replace("PATIENCE", f"{self.patience_there:g}").replace("RAW", str(limit))
        script = script.replace("WRITTEN", WRITTEN)
        script = script.replace("AGENT", f"infratest/{__version__}")
        missing = without("curl", "curl is not installed on this host")
        return missing + ONE_LINE + PUT + BYTES + script + side_by_side(1, AT_ONCE)

    def words(self, argument: Argument) -> tuple[str, ...]:
        from infratest.facts.http.curl import configuration
        from infratest.facts.http.request import request_of

        return (configuration(request_of(argument)),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts.http.curl import reply_of
        from infratest.facts.http.request import request_of

        rows = iter(lines(self.readable(answer).out))
        answers = {row: plain_bytes(rows) for row in rows}
        ended = {}
        for row in lines(answer.err):
            index, _, rest = row.partition(" ")
            ended[f"url {index}"] = unescaped(rest)
        if not answers or not ended:
            raise FactError(f"of {len(arguments)} URLs asked for, none was answered")
        return {
            argument: reply_of(ended[place], answers[place], request_of(argument))
            for argument, place in ((argument, f"url {index}") for index, argument in enumerate(arguments, 1))
            if place in ended and place in answers
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        from infratest.facts.http.look import look
        from infratest.facts.http.request import request_of

        return {argument: look(request_of(argument), deadline, self.patience, connect) for argument in arguments}
