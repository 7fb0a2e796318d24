"""The logs of one configuration rotated, on a host whose logrotate fails for one and hangs for another."""

from infratest.testing.remedies import Case

LOGROTATE = """#!/bin/sh
case $2 in
/etc/passwd) exec sleep 60 ;;
esac
"""

CASE = Case(
    works="/etc/group",  # any file that is there
    fails="absent",
    slow={"config": "/etc/passwd"},
    refused=(None, "", 5, ["nginx"], "-f", "a/b", "/etc/logrotate.d/", "../x", "a\0b", {}, {"name": "nginx"}),
    programs={"logrotate": LOGROTATE},
)
