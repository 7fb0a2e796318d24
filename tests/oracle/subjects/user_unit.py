"""Units of users' own systemd, which systemd-logind starts for those who linger; held against systemctl."""

from __future__ import annotations

import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, quoted

SET_UP = r"""
for user in lingerer stayer; do
  useradd -m -s /bin/sh $user
  folder=/home/$user/.config/systemd/user
  mkdir -p $folder/default.target.wants
  for unit in works idle fails; do
    printf '[Service]\nType=%s\nExecStart=%s\n[Install]\nWantedBy=default.target\n' simple '/bin/sleep infinity' \
      >$folder/$unit.service
  done
  printf '[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=default.target\n' >$folder/fails.service
  ln -s ../works.service ../fails.service $folder/default.target.wants
  printf 'nonsense' >$folder/broken.service
  ln -s /dev/null $folder/hidden.service
  chown -R $user: /home/$user/.config
done
systemctl start dbus systemd-logind
loginctl enable-linger lingerer
"""
UNITS = ("works", "idle", "fails", "broken", "hidden", "nosuch", "dbus.socket", "works.service")


def objects(place: Path) -> None:
    """Make two users, one of whom has a systemd, and wait until that has started all it will."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)
    assert wait_until(lambda: _said("is-active", "works") == "active"), _said("status", "works")
    assert wait_until(lambda: _said("is-active", "fails") == "failed"), _said("status", "fails")


def _said(verb: str, unit: str) -> str:
    """Return what the user's own systemctl says, asked in a way of its own."""
    uid = pwd.getpwnam("lingerer").pw_uid
    words = ["systemctl", "--user", verb, "--", unit]
    environment = {"XDG_RUNTIME_DIR": f"/run/user/{uid}", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, user=uid, group=uid)
    return done.stdout.strip()


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences; others than root and the user may not look."""
    for name in UNITS:
        active, enabled = _said("is-active", name) == "active", _said("is-enabled", name) in ("enabled", "static")
        yield from _of(name, "lingerer", active, enabled)
        # No systemd of that user runs, and the files are alike.
        yield from _of(name, "stayer", active=False, enabled=enabled)
        yield from _of(name, "no-such-user", ABSENT, ABSENT)
    for user, truth in (("lingerer", True), ("stayer", False), ("no-such-user", ABSENT)):
        lingers = f'the user "{user}" lingers', f'the user "{user}" does not linger'
        yield from both(*lingers, truth, user)


def _of(name: str, user: str, active: bool | str, enabled: bool | str) -> Iterator[Question]:
    subject = f"the user unit {quoted(name)} of {quoted(user)}"
    other: bool | str = ABSENT if active == ABSENT else UNKNOWN
    yield from both(f"{subject} is running", f"{subject} is not running", active, user, other)
    yield from both(f"{subject} is enabled", f"{subject} is not enabled", enabled, user, other)
