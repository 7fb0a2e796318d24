"""A host that boots anew: one whose answer to which boot it is in is another one each time, fails, or does not come."""

from pathlib import Path

from infratest.testing.remedies import Case

#: What the act reads of a boot; the file that a case makes says how it goes.
CUT = """#!/bin/sh
[ -e fails ] && { echo no room >&2; exit 1; }
[ -e slow ] && exec sleep 60
exec date +%N
"""


def made(around, name):
    Path(around.folder / name).touch()
    return around


CASE = Case(
    works={},
    fails={},
    slow={},
    refused=("web-1", [1], {"a": 1}, 0),
    around={"fails": lambda around: made(around, "fails"), "slow": lambda around: made(around, "slow")},
    programs={"cut": CUT, "systemctl": "#!/bin/sh\n"},
)
