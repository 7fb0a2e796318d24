"""Its real checker, with a program that need not be there."""

from infratest.testing.exports import Case

CASE = Case(options={"program": "/usr/bin/check_infratest", "state": "/var/lib/infratest/shop"})
