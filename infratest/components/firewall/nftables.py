"""A firewall on a host itself: a table of nftables of our own, beside which all others stay as they are.

What comes in is dropped but for what is let in. Always let in are: what comes from the host itself, answers, what IPv6
and DHCP need to work at all, and the port that SSH came in by, so that nobody is locked out. The whole table is loaded
at once or not at all (nft(8): a file is one transaction), and again at each boot where the host has systemd.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers._component import ANYWHERE, FIRST_PORT, LAST_PORT, Opening
from infratest.transports.base import Transport

SSH_PORT = 22
#: IANA's protocol numbers: nft looks names up in /etc/protocols, which small images have not.
NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
#: Of a host that has no nft; of a kernel, or a container, that lets nobody load rules.
NO_NFT, REFUSED = 127, 4

#: What comes in whatever is opened. DHCPv6 answers to a port that nobody asked from, as conntrack sees it.
ALWAYS = """\
    iif "lo" accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, mld-listener-query } accept
    ip6 saddr fe80::/10 udp dport 546 accept
"""

#: $1 is the table, $2 the rules, empty to have none. A host without nft has none for sure.
SCRIPT = r"""
file=/etc/infratest-firewall.nft unit=/etc/systemd/system/infratest-firewall.service
if ! command -v nft >/dev/null 2>&1; then [ -z "$2" ] && exit 0; exit 127; fi
if [ -z "$2" ]; then
    rm -f "$file" "$unit" /etc/systemd/system/sysinit.target.wants/infratest-firewall.service
    nft list table inet "$1" >/dev/null 2>&1 || exit 0
    nft delete table inet "$1" || exit 4
    exit 0
fi
printf '%s' "$2" >"$file.new" && nft -f "$file.new" || { rm -f "$file.new"; exit 4; }
mv "$file.new" "$file"
[ -d /etc/systemd/system ] && command -v systemctl >/dev/null 2>&1 || exit 0
cat >"$unit" <<END
[Unit]
Description=Firewall of infratest
DefaultDependencies=no
Before=network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$(command -v nft) -f $file
END
mkdir -p /etc/systemd/system/sysinit.target.wants
ln -sf "$unit" /etc/systemd/system/sysinit.target.wants/infratest-firewall.service
"""


def table(stack: str) -> str:
    """Return the name of a stack's table: of letters, digits and underscores, as nft takes it without quotes."""
    return f"infratest_{re.sub(r'[^A-Za-z0-9]', '_', stack)}"


def rules(openings: Iterable[Opening], addresses: Mapping[str, Sequence[str]]) -> str:
    """Return the rules of a host, one a line.

    Args:
        addresses: of the hosts of the stack, by name; one that has none is let in nowhere.
    """
    return "".join(f"    {line}\n" for one in openings for line in _rules(one, addresses))


def ruleset(name: str, lines: str, ssh_port: int) -> str:
    """Return what `nft -f` reads: the table replaced as a whole. It is made first, since only what is there can go."""
    return (
        f"table inet {name}\ndelete table inet {name}\ntable inet {name} {{\n  chain input {{\n"
        f"    type filter hook input priority filter; policy drop;\n{ALWAYS}    tcp dport {ssh_port} accept\n{lines}"
        "  }\n}\n"
    )


def load(transport: Transport, name: str, lines: str | None, deadline: Deadline) -> None:
    """Have a host's kernel go by these rules.

    Args:
        transport: open. name: of the table. lines: as `rules` returns them; None to have the table taken away.
    Raises:
        ProviderError: the host has no nft, or may not load rules. TransportError: it does not answer.
    """
    text = "" if lines is None else ruleset(name, lines, _ssh_port(transport, deadline))
    sudo = str(transport.host.options.get("user") or "root") != "root"
    result = transport.run(["sh", "-c", SCRIPT, "sh", name, text], deadline, sudo=sudo)
    if result.exit == 0:
        return
    said = clean(decoded(result.stderr).strip(), 400)
    if result.exit == NO_NFT:
        said = "it has no nft: install nftables in its image, or in the first script of its `provision:`"
    elif "not permitted" in said:
        said += "; a container needs the capability NET_ADMIN for that"
    raise ProviderError(f"{transport.host.name}: its firewall could not be loaded: {said or f'exit {result.exit}'}")


def _ssh_port(transport: Transport, deadline: Deadline) -> int:
    """Return the port by which this host's SSH server is reached, by its own word (ssh(1), SSH_CONNECTION)."""
    result = transport.run(["sh", "-c", 'echo "$SSH_CONNECTION"'], deadline)
    words = decoded(result.stdout).split()
    return int(words[3]) if len(words) == 4 and words[3].isdigit() else SSH_PORT


def _rules(one: Opening, addresses: Mapping[str, Sequence[str]]) -> Iterator[str]:
    what = _what(one)
    if one.networks == ANYWHERE:
        yield f"{what}accept"
        return
    found = [*one.networks, *(each for name in one.hosts for each in addresses.get(name, ()))]
    for version, word in ((4, "ip"), (6, "ip6")):
        mine = sorted({each for each in found if ipaddress.ip_network(each).version == version})
        if mine:
            yield f"{word} saddr {{ {', '.join(mine)} }} {what}accept"


def _what(one: Opening) -> str:
    if one.protocol == "any":
        return ""
    if one.protocol == "icmp":
        return f"meta l4proto {{ {NUMBERS['icmp']}, {NUMBERS['icmpv6']} }} "
    if (one.first, one.last) == (FIRST_PORT, LAST_PORT):
        return f"meta l4proto {NUMBERS[one.protocol]} "
    return f"{one.protocol} dport {one.first if one.first == one.last else f'{one.first}-{one.last}'} "
