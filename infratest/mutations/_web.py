"""Another web server in the place of a host's own for a while; what the faults of URLs do."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._in_place import refused, stand_in
from infratest.web_address import web_address

#: What it has: the whole answer, and seconds until it comes.
CONVERSATION = """my ($answer, $seconds) = @ARGV;
    my $asked = "";
    while ($asked !~ /\\r\\n\\r\\n/) { sysread($client, $asked, 4096, length $asked) or exit }
    pause($seconds);
    syswrite($client, $answer);
    shutdown($client, 1);
    sysread($client, $asked, 4096);"""

#: A status that no sentence is likely to expect, and another one.
UNEXPECTED, ANOTHER = 503, 404
BODY = "infratest: a fault\n"


def answers(
    url: str, words: str, status: int = UNEXPECTED, headers: tuple[str, ...] = (), body: str = BODY, seconds: float = 0
) -> Act | str:
    """Return what answers a URL in its server's place, or why nothing can."""
    address = web_address(url)
    if address.scheme != "http":
        return refuses(url)
    length = len(body.encode())
    head = [f"HTTP/1.1 {status} Fault", "Content-Type: text/plain", f"Content-Length: {length}", "Connection: close"]
    answer = "\r\n".join([*head, *headers, "", body])
    return stand_in(words, address.port, CONVERSATION, answer, f"{seconds:.3f}")


def refuses(url: str) -> Act:
    """Return what has a URL's server refuse."""
    return refused(web_address(url).port)
