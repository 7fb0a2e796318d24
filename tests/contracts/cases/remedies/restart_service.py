"""A unit restarted, on a host whose systemctl fails for one unit and hangs for another."""

from infratest.testing.remedies import Case

SYSTEMCTL = """#!/bin/sh
case $* in
*absent*) echo "Unit absent.service not found." >&2; exit 5 ;;
*slow*) exec sleep 60 ;;
esac
"""

CASE = Case(
    works="nginx",
    fails={"unit": "absent"},
    slow="slow",
    refused=(
        None,
        "",
        5,
        ["nginx"],
        "-rf",
        "a b",
        "x;y",
        "a\0b",
        {},
        {"unit": "nginx", "verb": "stop"},
        {"name": "nginx"},
    ),
    programs={"systemctl": SYSTEMCTL},
)
