"""The fact `dns`: records of a name, as a name server has them. Arguments: the server (empty: those of who looks), the
type, the name.

From the controller by dnspython (the extra `dns`), from a host by its dig. NXDOMAIN and a name without such records are
answers; a server that refuses, fails, does not answer, does not know the zone or answers of another name is not: then
the next one is asked, and without one it is not known.
"""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts._name_server import (
    DIG,
    NO_DIG,
    NO_LIBRARY,
    NOERROR,
    NXDOMAIN,
    PATIENCE,
    answered,
    flags,
    malformed,
    miscounted,
    rcode,
    servers,
)
from infratest.facts._shell import ONE_LINE, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "SSHFP", "TLSA", "TXT")


class Records(Record):
    """What a name server has.

    Args:
        status: NOERROR or NXDOMAIN. records: of the type asked for, each as `record_text` writes it, in order.
        ttl: seconds that the shortest-lived of them may be kept; None without any.
    """

    status: str
    records: tuple[str, ...] = ()
    ttl: int | None = None

    def in_words(self) -> str:
        return f"{self.status}: {', '.join(self.records) or 'no such record'}"


def record_text(kind: str, text: str) -> str:
    """Return a record's text always written alike: names in small letters and without the dot at their end.

    Args:
        text: as a zone file has it (RFC 1035, 5.1), but of TXT: that is its strings, joined.
    """
    if kind == "TXT":
        return text
    if kind in ("A", "AAAA"):
        from ipaddress import ip_address

        try:
            return str(ip_address(text.strip()))
        except ValueError:
            return text.strip()
    return " ".join([word.strip('"').lower().rstrip(".") or "." for word in text.split()])


def joined(text: str) -> str:
    r"""Return the strings of a TXT record joined: `"v=spf1 " "a\"b"`, with `\"` and `\065` as a zone file has them."""
    made, at, inside = bytearray(), 0, False
    while at < len(text):
        one = text[at]
        if one == "\\" and text[at + 1 : at + 4].isdigit():
            made.append(int(text[at + 1 : at + 4]) & 255)
            at += 4
            continue
        if one == "\\":
            at += 1
            made += text[at : at + 1].encode()
        elif one == '"':
            inside = not inside
        elif inside or not one.isspace():
            made += one.encode()
        at += 1
    return made.decode("utf-8", "replace")


SNIPPET = r"""
one() {
  place "$2"
  asked -t "$3" -q "$4"
  one_line "$words"
  [ ${#line} -lt 4000 ] || line='its answer is too long'
  printf '%s %s %s\n' "$1" "$status" "$line"
}
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  one "$n" "$1" "$2" "$3" &
  shift 3
done
wait
"""


class DnsFact(LooksForEach, LooksFromController):
    """Records of names."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        return without("dig", NO_DIG) + ONE_LINE + DIG + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        server, kind, name = argument
        if kind not in TYPES or (server and host_and_port(server) is None):
            raise UserError(f"{' '.join(argument)!r} is no question for a name server")
        return (server, kind, f"{name}.")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        answers: dict[int, tuple[int, str]] = {}
        for row in lines(self.readable(answer).out):
            index, _, rest = row.partition(" ")
            status, _, words = rest.partition(" ")
            answers[number(index, "an index")] = number(status, "dig's exit status"), unescaped(words)
        if not answers:
            raise FactError(f"of {len(arguments)} names asked for, none was answered")
        return {
            argument: _by_dig(argument, *answers[index])
            for index, argument in enumerate(arguments, 1)
            if index in answers
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: _look(argument, deadline, connect) for argument in arguments}


def _by_dig(argument: Argument, status: int, words: str) -> Records | FactError:
    """Return what dig printed of an answer: its comments begin with `;;`."""
    rows = words.split("\n")
    code = rcode(rows)
    if status or not code:
        said = next((row for row in reversed(rows) if row.strip()), f"exit {status}")
        return FactError(f"{_asked(argument)}: {beginning(said, 200)}")
    if problem := malformed(rows):
        return FactError(f"{_asked(argument)}: {problem}")
    answers = [row.split(None, 4) for row in rows if row and not row.startswith(";")]
    if any(len(one) != 5 or not one[1].isdigit() for one in answers):
        return FactError("the answer of dig is not understood")
    if problem := miscounted(rows, len(answers)):
        return FactError(f"{_asked(argument)}: {problem}")
    return _records(argument, code, flags(rows), [(one[0], one[3], one[4], int(one[1])) for one in answers])


def _records(
    argument: Argument, code: str, set_flags: Sequence[str], answers: Sequence[tuple[str, str, str, int]]
) -> Records | FactError:
    """Return what an answer says of the name.

    Args:
        set_flags: of its header, in small letters. answers: owner, type, text and TTL of each record.
    """
    _, kind, name = argument
    if code not in (NOERROR, NXDOMAIN):
        return FactError(f"{_asked(argument)}: the name server answers {beginning(code, 40)}")
    owners, problem = answered(name, kind, set_flags, [one[:3] for one in answers])
    if problem:
        return FactError(f"{_asked(argument)}: {problem}")
    own = [(text, ttl) for owner, one, text, ttl in answers if one == kind and owner.lower() in owners]
    texts = [record_text(kind, joined(text) if kind == "TXT" else text) for text, _ in own]
    return Records(code, tuple(sorted(texts)), min((ttl for _, ttl in own), default=None))


def _asked(argument: Argument) -> str:
    server, kind, name = argument
    return f"the {kind} records of {name}{f' by the server {server}' if server else ''} could not be looked up"


def _look(argument: Argument, deadline: Deadline, connect: Connect) -> Records | FactError:
    """Ask one name server after the other until one says something of the name."""
    try:
        import dns.exception
        import dns.flags
        import dns.message
        import dns.query
        import dns.rcode
        import dns.rdatatype
    except ImportError:
        return FactError(NO_LIBRARY)
    server, kind, name = argument
    question = dns.message.make_query(f"{name}.", kind)
    why: list[str] = []
    for address, port in servers(server, connect):
        for _ in range(2):
            left = deadline.at_most(PATIENCE).left
            if not left:
                raise DeadlineExceeded(f"{_asked(argument)} before our own deadline")
            try:
                # One record a set: a set has place for one CNAME, and would forget the others.
                reply, _tcp = dns.query.udp_with_fallback(question, address, left, port, one_rr_per_rrset=True)
            except (OSError, dns.exception.DNSException) as error:
                why.append(f"{address}: {str(error) or type(error).__name__}")
                continue
            code = dns.rcode.to_text(reply.rcode())
            set_flags = dns.flags.to_text(reply.flags).lower().split()
            text = dns.rdatatype.to_text
            answers = [
                (each.name.to_text(), text(each.rdtype), one.to_text(), each.ttl)
                for each in reply.answer
                for one in each
            ]
            value = _records(argument, code, set_flags, answers)
            if isinstance(value, Records):
                return value
            why.append(f"{address}: {str(value).removeprefix(f'{_asked(argument)}: ')}")
            break
    return FactError(f"{_asked(argument)}: {beginning('; '.join(why), 300) or 'this machine has no name server'}")
