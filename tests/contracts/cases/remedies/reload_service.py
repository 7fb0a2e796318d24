"""A unit reloaded, on a host whose systemctl fails for one unit and hangs for another."""

from infratest.testing.remedies import Case
from tests.contracts.cases.remedies.restart_service import SYSTEMCTL

CASE = Case(
    works="nginx",
    fails={"unit": "absent"},
    slow="slow",
    refused=(None, "", 5, ["nginx"], "-rf", "a b", {}, {"unit": "nginx", "verb": "stop"}),
    programs={"systemctl": SYSTEMCTL},
)
