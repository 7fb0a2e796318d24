"""Rules of sudo, for users, groups and aliases; what is right is written by hand after sudoers(5)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, quoted

SET_UP = r"""
groupadd wheelers
for name in su-deploy su-other su-admin su-member su-lax su-late; do useradd -M -s /bin/sh $name; done
usermod -G wheelers su-member
cat >/etc/sudoers.d/oracle <<'END'
User_Alias ADMINS = su-admin
Cmnd_Alias POWER = /usr/bin/systemctl restart app, /usr/bin/systemctl reload app
su-deploy ALL = (root) NOPASSWD: /usr/bin/systemctl restart app, /usr/bin/id ""
su-deploy ALL = (root) /usr/bin/systemctl stop *
su-deploy ALL = (postgres) NOPASSWD: ALL, !/usr/bin/id
su-deploy ALL = (root) NOPASSWD: /usr/bin/tail -n [0-9] /var/log/syslog
su-deploy ALL = (root) PASSWD: /usr/bin/tail -n 3 /var/log/*
ADMINS ALL = POWER
%wheelers ALL = (ALL : ALL) ALL
Defaults!/usr/bin/arch !authenticate
Defaults>games !authenticate
Defaults:su-lax !authenticate
su-other ALL = (bin) /usr/bin/arch, /usr/bin/nproc
su-other ALL = (games) /usr/bin/nproc
su-lax ALL = (bin) /usr/bin/nproc
su-late ALL = (bin) /usr/bin/nproc
su-late ALL = (bin) NOTAFTER=20200101000000Z NOPASSWD: /usr/bin/nproc
END
chmod 440 /etc/sudoers.d/oracle
id postgres >/dev/null 2>&1 || useradd -M postgres
"""
#: User, as whom, command -> whether it may be run, and whether without a password.
RULES: dict[tuple[str, str, str], tuple[bool | str, bool | str]] = {
    ("su-deploy", "root", "/usr/bin/systemctl restart app"): (True, True),
    ("su-deploy", "root", "systemctl restart app"): (True, True),
    ("su-deploy", "root", "/usr/bin/systemctl restart app now"): (False, False),
    ("su-deploy", "root", "/usr/bin/systemctl restart"): (False, False),
    ("su-deploy", "root", "/usr/bin/systemctl restart *"): (False, False),
    ("su-deploy", "root", "/usr/bin/systemctl stop app db"): (True, False),
    ("su-deploy", "root", "/usr/bin/id"): (True, True),
    ("su-deploy", "root", "/usr/bin/id -u"): (False, False),
    ("su-deploy", "root", "/usr/bin/tail -n 4 /var/log/syslog"): (True, True),
    ("su-deploy", "root", "/usr/bin/tail -n 3 /var/log/syslog"): (True, UNKNOWN),
    ("su-deploy", "root", "/usr/bin/tail -n 3 /var/log/auth.log"): (True, UNKNOWN),
    ("su-deploy", "postgres", "/usr/bin/whoami"): (True, True),
    ("su-deploy", "postgres", "/usr/bin/id"): (False, False),
    ("su-deploy", "nobody", "/usr/bin/whoami"): (False, False),
    ("su-deploy", "nosuch", "/usr/bin/whoami"): (ABSENT, ABSENT),
    ("su-deploy", "root", "/usr/bin/nosuch"): (ABSENT, ABSENT),
    ("su-other", "root", "/usr/bin/systemctl restart app"): (False, False),
    ("su-other", "su-other", "/usr/bin/whoami"): (False, False),
    ("su-admin", "root", "/usr/bin/systemctl reload app"): (True, False),
    ("su-admin", "root", "/usr/bin/systemctl stop app"): (False, False),
    ("su-member", "root", "/usr/bin/id -u"): (True, False),
    ("su-member", "postgres", "/usr/bin/whoami"): (True, False),
    ("su-other", "bin", "/usr/bin/arch"): (True, UNKNOWN),
    ("su-other", "bin", "/usr/bin/nproc"): (True, False),
    ("su-other", "games", "/usr/bin/nproc"): (True, UNKNOWN),
    ("su-lax", "bin", "/usr/bin/nproc"): (True, True),
    ("su-late", "bin", "/usr/bin/nproc"): (True, UNKNOWN),
    ("su-nosuch", "root", "/usr/bin/whoami"): (ABSENT, ABSENT),
    ("root", "root", "/usr/bin/whoami"): (True, True),
}


def objects(place: Path) -> None:
    """Write the rules."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences; sudo tells others' rules to root alone."""
    yield from both("the sudoers are valid", "the sudoers are not valid", True, "rules", UNKNOWN)
    for (name, target, command), (may, freely) in RULES.items():
        about = f"{name} as {target}: {command}"
        for words in [quoted(target)] + (["root"] if target == "root" else []):
            forms = [f"the user {quoted(name)} may{no} run {quoted(command)} as {words}" for no in ("", " not")]
            yield from both(*forms, may, about, UNKNOWN)
            yield from both(*[f"{form} without a password" for form in forms], freely, about, UNKNOWN)
