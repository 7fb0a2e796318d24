"""Memory that is as much in use as it is to be: this machine's own is not taken."""

from infratest.acts._fault import END_EACH
from infratest.testing.acts import Case

CASE = Case(
    works={"percent": 1, "id": "case"},
    undoes=("sh", "-c", END_EACH, "sh", *[f"/run/infratest-case-{number}.pid" for number in range(5)]),
    refused=[{"percent": 0}, {"percent": 100}],
)
