"""Chains, rules and sets in this world's own network, made by nft and iptables; who is not root may not look at any."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, quoted

MADE = """\
nft add table inet ours
nft add chain inet ours forward { type filter hook forward priority 0; policy drop; }
nft add chain inet ours input { type filter hook input priority 0; policy accept; }
nft add chain inet ours other
nft add set inet ours blocked { type ipv4_addr; flags interval; }
nft add element inet ours blocked { 10.0.0.0/8, 192.0.2.7, 198.51.100.1-198.51.100.9 }
nft add set inet ours ports { type inet_service; elements = { 1,2,3,4,5,6,7,8,9,10,22,80 } ; }
nft add set inet ours ranges { type inet_service; flags interval; elements = { 20-30, 443 } ; }
nft add set inet ours empty { type ipv4_addr; }
nft add rule inet ours forward tcp dport 22 counter accept comment "of { ours }"
nft add rule inet ours forward ip saddr @blocked drop
nft add rule inet ours other tcp dport { 80, 443 } accept
iptables -P FORWARD DROP
iptables -N OURS
iptables -A OURS -p tcp --dport 22 -m comment --comment "it is \\"ours\\"  x" -j ACCEPT
iptables -A OURS -s 10.0.0.0/8 -j RETURN
iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
ip6tables -A FORWARD -p ipv6-icmp -j ACCEPT
"""

#: Program, table and chain -> policy (empty for one of one's own) and rules; None where there is no such chain.
CHAINS: dict[tuple[str, str, str], tuple[str, tuple[str, ...]] | None] = {
    ("iptables", "filter", "FORWARD"): ("DROP", ()),
    ("iptables", "filter", "OUTPUT"): ("ACCEPT", ()),
    ("iptables", "filter", "OURS"): (
        "",
        ('-p tcp -m tcp --dport 22 -m comment --comment "it is \\"ours\\"  x" -j ACCEPT', "-s 10.0.0.0/8 -j RETURN"),
    ),
    ("iptables", "filter", "ours"): None,
    ("iptables", "nat", "POSTROUTING"): ("ACCEPT", ("-o eth0 -j MASQUERADE",)),
    ("ip6tables", "filter", "FORWARD"): ("ACCEPT", ("-p ipv6-icmp -j ACCEPT",)),
    ("ip6tables", "filter", "OURS"): None,
    ("nftables", "inet ours", "forward"): ("drop", ("tcp dport 22 accept", "ip saddr @blocked drop")),
    ("nftables", "inet ours", "input"): ("accept", ()),
    ("nftables", "inet ours", "other"): ("", ("tcp dport { 80, 443 } accept",)),
    ("nftables", "ip ours", "other"): None,
    ("nftables", "inet ours", "oth"): None,
}
RULES = (
    "-p tcp -m tcp --dport 22 -j ACCEPT", "-s 10.0.0.0/8", "tcp dport 22", "tcp dport { 443, 80 } accept",
    "tcp dport {443,80} accept", "tcp dport { 80, 444 } accept", "drop",
)  # fmt: skip
#: Other ways to write a rule: the elements of a set have no order.
ALIKE = dict.fromkeys(("tcp dport { 443, 80 } accept", "tcp dport {443,80} accept"), "tcp dport { 80, 443 } accept")
SETS = {
    "blocked": {"10.0.0.0/8": True, "10.255.255.255": True, "11.0.0.0": False, "9.255.255.255": False,
                "192.0.2.7": True, "192.0.2.6": False, "198.51.100.1": True, "198.51.100.9": True,
                "198.51.100.10": False, "198.51.100.0": False, "10.0.0.0/7": False, "10.1.0.0/16": True,
                "2001:db8::1": False},
    "ports": {"22": True, "10": True, "1": True, "80": True, "8": True, "81": False, "220": False, "0": False},
    "ranges": {"20": True, "25": True, "30": True, "31": False, "19": False, "22-24": True, "29-31": False,
               "443": True},
    "empty": {"10.0.0.1": False, "0.0.0.0/0": False},
    "nosuch": {"10.0.0.1": ABSENT},
}  # fmt: skip


def objects(place: Path) -> Path:
    """Make the chains, rules and sets."""
    for row in MADE.splitlines():
        program, _, rest = row.partition(" ")
        words = ["nft", rest] if program == "nft" else ["sh", "-c", row]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return place


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of chains and sets."""
    for (program, table, chain), right in CHAINS.items():
        subject = f"the {program} chain {quoted(chain)} of {quoted(table)}"
        about = f"{subject}: {right}"
        yield from both(f"{subject} exists", f"{subject} does not exist", right is not None, about, UNKNOWN)
        policy, rules = right or ("", ())
        for each in ("ACCEPT", "drop"):
            truth: bool | str = ABSENT if not policy else policy.lower() == each.lower()
            yield from _has(subject, f"the policy {quoted(each)}", truth)
        for rule in (*RULES, *rules, *(rule.replace("-m tcp ", "") for rule in rules)):
            own = ALIKE.get(rule, rule) in rules or rule in [each.replace("-m tcp ", "") for each in rules]
            yield from _has(subject, f"the rule {quoted(rule)}", ABSENT if right is None else own)
        if program != "ip6tables":
            count = ABSENT if right is None else len(rules)
            yield from bounds(f"{subject} has {{}} rules", count, about, unprivileged=UNKNOWN)
    strange = 'the iptables chain "OURS" of "nosuch"'  # it has five tables, and no other
    yield from both(f"{strange} exists", f"{strange} does not exist", UNKNOWN, "no table of iptables")
    for name, elements in SETS.items():
        for element, truth in elements.items():
            subject = f'the nftables set {quoted(name)} of "inet ours"'
            yield from _has(subject, f"the element {quoted(element)}", truth)


def _has(subject: str, what: str, right: bool | str, other: str = UNKNOWN) -> Iterator[Question]:
    about = f"{subject}: {what}: {right}"
    yield from both(f"{subject} has {what}", f"{subject} does not have {what}", right, about, other)
