"""A firewall of a group, that lets in what comes from everywhere, from a network and from hosts."""

from __future__ import annotations

from infratest.providers._component import Firewall, Opening
from infratest.testing.components import Case

EVERYWHERE = ("0.0.0.0/0", "::/0")

CASE = Case(
    works={
        "to": {"group": "web"},
        "allow": [
            {"port": 80},
            {"port": "8000-8010", "from": "192.0.2.0/24"},
            {"protocol": "icmp", "from": "any"},
            {"protocol": "udp", "port": "53", "from": {"group": "web"}},
            {"protocol": "any", "from": {"host": "lb"}},
        ],
    },
    hosts=("web-1", "web-2"),
    wish=Firewall(
        openings=(
            Opening(first=80, last=80, networks=EVERYWHERE),
            Opening(first=8000, last=8010, networks=("192.0.2.0/24",)),
            Opening(protocol="icmp", networks=EVERYWHERE),
            Opening(protocol="udp", first=53, last=53, hosts=("web-1", "web-2")),
            Opening(protocol="any", hosts=("lb",)),
        )
    ),
    words="lets in SSH, tcp 80 from any, tcp 8000-8010 from 192.0.2.0/24, icmp from any, udp 53 from web-1, web-2, "
    "all from lb, and nothing else",
    refused=(
        ({"allow": [80]}, ".allow[0]: found 80; write a map"),
        ({"allow": [{"port": 80}, {"prt": 80}]}, ".allow[1]: unknown key 'prt': did you mean 'port'?"),
        ({"allow": [{"port": 0}]}, ".allow[0].port: found 0; write a port from 1 to 65535"),
        ({"allow": [{"port": "90-80"}]}, ".allow[0].port: found '90-80'"),
        ({"allow": [{"port": True}]}, ".allow[0].port: found True"),
        ({"allow": [{"port": 80, "protocol": "tpc"}]}, ".allow[0].protocol: unknown protocol 'tpc': did you mean"),
        ({"allow": [{"port": 80, "protocol": "icmp"}]}, ".allow[0].port: icmp has no ports"),
        ({"allow": [{"from": "10.0.0.1/8"}]}, ".allow[0].from: found '10.0.0.1/8' (10.0.0.1/8 has host bits set)"),
        ({"allow": [{"from": {"group": "wbe"}}]}, ".allow[0].from: unknown group 'wbe': did you mean 'web'?"),
        ({"allow": [{"from": {}}]}, ".allow[0].from: found an empty map"),
        ({"to": {"group": "db"}}, ".to: unknown group 'db'"),
    ),
)
