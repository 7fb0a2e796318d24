"""Where name servers are, as a feature names one: for the facts that ask them by dig and by dnspython."""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import FactError, UserError
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infratest.facts.base import Connect

    #: Owner, type and text of a record; of an RRSIG the text begins with the type that it is of.
    Row = tuple[str, str, str]

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


def miscounted(rows: list[str], there: int) -> str:
    """Return why so many records cannot be the answer that dig's header counts, nothing where they are."""
    header = next((row for row in rows if row.startswith(";; flags: ")), "")
    count = header.partition("ANSWER: ")[2].partition(",")[0]
    return "" if count == str(there) else f"its answer counts {count[:10]} records, and {there} are there"


def answered(name: str, kind: str, set_flags: Sequence[str], answers: Sequence[Row]) -> tuple[list[str], str]:
    """Return whose records of a type are the name's, and why the answer says nothing of it.

    Args:
        set_flags: of its header, in small letters. answers: the records of its answer section, each by itself.
    """
    names, problem = _chain(name, answers)
    owners = names[:1] if kind == "CNAME" else names[-1:]
    places = {kind: owners, "CNAME": names}
    there = False
    for owner, one, text in answers:
        of = text.partition(" ")[0] if one == "RRSIG" else one
        if owner.lower() not in places.get(of, [owner.lower()]):
            problem = problem or f"the name server answers of another name, {beginning(owner, 80)}"
        there = there or (one == kind and owner.lower() in owners)
    if not there and not {"aa", "ra"} & {*set_flags}:
        problem = problem or "the name server has no such record, and neither knows the zone (AA) nor asks others (RA)"
    return owners, problem


def _chain(name: str, answers: Sequence[Row]) -> tuple[list[str], str]:
    """Return the name and those that its CNAMEs lead to, one after the other, and what is wrong with the way."""
    targets: dict[str, set[str]] = {}
    for owner, kind, text in answers:
        if kind == "CNAME":
            targets.setdefault(owner.lower(), set()).add(text.strip().lower())
    names = [f"{name.lower().rstrip('.')}."]
    while following := targets.get(names[-1]):
        if len(following) > 1:
            return names, f"{beginning(names[-1], 80)} has several CNAMEs"
        (target,) = following
        if target in names:
            return names, f"the CNAME of {beginning(names[-1], 80)} leads back to {beginning(target, 80)}"
        names.append(target)
    return names, ""


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
