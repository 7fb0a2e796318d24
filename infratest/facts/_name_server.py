"""Where name servers are, as a feature names one: for the facts that ask them by dig and by dnspython."""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import FactError, UserError
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from infratest.facts.base import Connect

#: The answers that say something of a name: RFC 1035, 4.1.1.
NOERROR, NXDOMAIN = "NOERROR", "NXDOMAIN"

#: Seconds that one server has, twice.
PATIENCE = 2.0

NO_LIBRARY = "dnspython is not installed here: pip install 'infratest[dns]'"
NO_DIG = "dig (bind9-dnsutils, bind-utils, bind-tools) is not installed on this host"

#: Shell functions: `place` sets `server` and `port` of a server as features write it, `asked` asks there by dig, with
#: these words, sets `status`, and sets `words` to what it printed. dig reads a file of its user's, which may change
#: what it prints; so there is none.
DIG = r"""
place() {
  server=$1
  port=53
  case $server in
    '['*']:'*) port=${server##*:} server=${server%:*} ;;
    *:*:*) ;;
    *:*) port=${server##*:} server=${server%:*} ;;
  esac
  server=${server#[}
  server=${server%]}
}
asked() {
  words=$(HOME=/nonexistent dig +noall +comments +answer +time=2 +tries=2 ${server:+"@$server"} -p "$port" "$@" \
    2>&1 </dev/null)
  status=$?
}
"""


def checked(server: str) -> str:
    """Return a server as it is; nothing stands for those of who looks. Raises UserError: it is none."""
    if server and host_and_port(server) is None:
        raise UserError(f'by the server "{server}": expected a name or an address, as 10.0.0.53 or [::1]:5353')
    return server


def rcode(rows: list[str]) -> str:
    """Return what the header says that dig printed of an answer; nothing where there was none."""
    header = next((row for row in rows if row.startswith(";; ->>HEADER<<-")), "")
    return header.partition("status: ")[2].partition(",")[0]


def flags(rows: list[str]) -> tuple[str, ...]:
    """Return the flags of an answer's header, in small letters, as dig printed them."""
    row = next((row for row in rows if row.startswith(";; flags: ")), "")
    return tuple(row[10:].partition(";")[0].lower().split())


def malformed(rows: list[str]) -> str:
    """Return why what dig printed is no whole answer, nothing where it is one: dig warns, shows what it could read, and
    ends with 0.
    """
    for row in rows:
        if row.startswith((";; Warning: ", ";; WARNING: ")) and ("malformed" in row or "extra bytes" in row):
            return f"its answer is cut or malformed: {beginning(row[12:], 100)}"
    return "" if "qr" in flags(rows) else "what came back is a question, not an answer"


def servers(server: str, connect: Connect) -> Iterator[tuple[str, int]]:
    """Return where name servers are asked: the one that is named, else those of this machine's resolv.conf.

    Raises:
        FactError: the one that is named cannot be asked from here.
    """
    if not server:
        import dns.resolver

        try:
            yield from ((str(one), 53) for one in dns.resolver.Resolver().nameservers)
        except dns.resolver.NoResolverConfiguration:
            return
        return
    from infratest.facts import _outside

    host, port = host_and_port(server) or (server, 0)
    address, there = connect(host, port or 53)
    if there != (port or 53):
        raise FactError(f"{server} is published for TCP alone: look from a host, as `from the host`")
    outcome, _, words = _outside.resolve(address)
    if outcome != _outside.OPEN:
        raise FactError(f"the name of the server {server} could not be looked up: {words}")
    yield from ((each, there) for each in words.split(" "))
