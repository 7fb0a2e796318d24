"""A service, on a host whose systemctl keeps what it is asked."""

from infratest.testing.acts import Case

SYSTEMCTL = """#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
case $* in
*absent*) echo "Unit absent.service not found." >&2; exit 5 ;;
*ActiveState*) echo active ;;
*CPUQuota*USec*) echo 500ms ;;
esac
"""

CASE = Case(
    works={"unit": "nginx", "percent": 5},
    fails={"unit": "absent", "percent": 5},
    undoes=("systemctl", "set-property", "--runtime", "--", "nginx", "CPUQuota=50%"),
    refused=[{"unit": unit, "percent": 5} for unit in ("", "-rf", "a b")] + [{"unit": "nginx", "percent": 0}],
    programs={"systemctl": SYSTEMCTL},
    log=[
        "show -P ActiveState -- nginx",
        "show -P CPUQuotaPerSecUSec -- nginx",
        "set-property --runtime -- nginx CPUQuota=5%",
    ],
)
