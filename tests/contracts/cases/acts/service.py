"""A service, on a host whose systemctl keeps what it is asked."""

from infratest.testing.acts import Case

SYSTEMCTL = """#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
case $* in
*absent*) echo "Unit absent.service not found." >&2; exit 5 ;;
*slow*) exec sleep 60 ;;
esac
"""

CASE = Case(
    works={"unit": "nginx", "verb": "stop"},
    fails={"unit": "absent", "verb": "restart"},
    slow={"unit": "slow", "verb": "restart"},
    undoes=("systemctl", "start", "--", "nginx"),
    refused=[{"unit": unit, "verb": "stop"} for unit in ("", "-rf", "a b", "x;y", "a\0b")],
    programs={"systemctl": SYSTEMCTL},
    log=["is-active --quiet -- nginx", "stop -- nginx"],
)
