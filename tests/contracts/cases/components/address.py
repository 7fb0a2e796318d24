"""An address of one host."""

from __future__ import annotations

from infratest.providers._component import Address
from infratest.testing.components import Case

CASE = Case(
    works={"to": {"host": "lb"}, "pool": "public"},
    hosts=("lb",),
    wish=Address(pool="public"),
    words="an address of its own from public",
    refused=(
        ({}, ".to: an address is of one host, and this is for lb, web-1, web-2; write to: {host: NAME}"),
        ({"to": {"group": "web"}}, "this is for web-1, web-2"),
        ({"to": {"host": "bl"}}, ".to: unknown host 'bl': did you mean 'lb'?"),
        ({"to": {"host": "lb", "group": "web"}}, "write {host: NAME} or {group: NAME}"),
        ({"pol": "public"}, "unknown key 'pol': did you mean 'pool'?"),
    ),
)
