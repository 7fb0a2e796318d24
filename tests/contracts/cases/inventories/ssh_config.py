"""Names of an ssh_config and of one that it includes; a pattern names no host."""

from __future__ import annotations

from infratest.testing.inventories import Case

CONFIG = """\
# of the office
Host web-1 web-2
  HostName 192.0.2.11
Host db "old db" !db-2 web-1
  User admin
Host *.example web-?
  Port 2222
Match host db
  Port 22
"""

CASE = Case(
    works="team",
    files={"team": CONFIG},
    hosts={
        "web-1": {"address": None, "groups": ()}, "web-2": {}, "db": {},
        "old db": {"address": "old db"},  # it is asked for by its own name, whatever it is called here
    },
    reads=("team",),
    broken=(
        ({"team": None}, "there is no ssh_config"),
        ({"team": 'Host "web-1\n'}, "a quote that does not end"),
        ({"team": "Include %d/more\n"}, "tokens in it are not known here"),
    ),
    refused=({}, 3),
)  # fmt: skip
