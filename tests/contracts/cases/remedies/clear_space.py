"""Old files removed, on a host whose find has nothing to remove, or hangs."""

from infratest.testing.remedies import Case

FIND = """#!/bin/sh
case $6 in +120) exec sleep 60 ;; esac
"""
SYSTEM = (
    "/", "//", "/etc", "/etc/nginx", "/usr", "/usr/share/doc", "/var", "/var/lib", "/var/lib/dpkg/info", "/home/alice",
    "/srv", "/srv/../etc", "/srv/./x", "srv/x", "/srv//x", "/proc/1", "/root/.ssh", "/var/spool", "/var/spool/cron/x",
    "/boot/grub", "/srv/a\nb", "",
)  # fmt: skip

CASE = Case(
    works={"below": ["/tmp"], "older-than": "1 h"},
    fails={"below": ["/srv/not-there/at-all"], "older-than": "1 h"},
    slow={"below": ["/tmp"], "older-than": "2 h"},
    refused=(
        None, "", "/srv/x", ["/srv/x"], {}, {"below": []}, {"below": ["/srv/x"]}, {"older-than": "1 h"},
        {"below": "/srv/x", "older-than": "1 h"}, {"below": ["/srv/x"], "older-than": "1"},
        {"below": ["/srv/x"], "older-than": "30 s"}, {"below": [5], "older-than": "1 h"},
        *({"below": ["/srv/x", one], "older-than": "1 h"} for one in SYSTEM),
    ),
    programs={"find": FIND},
)  # fmt: skip
