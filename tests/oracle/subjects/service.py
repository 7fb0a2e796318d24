"""Units and timers in every state, of this world's own systemd; held against systemctl."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import Question, both, quoted

SET_UP = r"""
cd /etc/systemd/system
unit() {
  printf '[Service]\nType=%s\nExecStart=%s\nRemainAfterExit=%s\n' "$2" "$3" "$4" >"$1.service"
  printf '[Install]\nWantedBy=multi-user.target\n' >>"$1.service"
}
sleeps='/bin/sleep infinity'
for name in runs stopped 1st indirect runtime aliased removed made masked-later generated hidden-runs gone-runs \
  changed; do
  unit "$name" simple "$sleeps" no
done
for name in 'a:b' 'x\x2dy' 'dot.ted' 'under_score' 'inst@' 'UPPER'; do unit "$name" simple "$sleeps" no; done
unit failing oneshot /bin/false no
unit once oneshot /bin/true yes
unit over oneshot /bin/true no
unit starting notify "$sleeps" no
mkdir starting.service.d
printf '[Service]\nTimeoutStartSec=infinity\n' >starting.service.d/it.conf
unit nothing simple /no/such/program no
unit masks-nothing simple "$sleeps" no
printf '[Service]\nType=simple\n' >broken.service
printf 'nonsense\n[Service]\nExecStart=/bin/true\n' >odd.service
: >empty.service
printf '[Service]\nExecStart=/bin/true\n' >static.service
printf '[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/true\n' >unmet.service
printf '[Unit]\nDescription=a target\n' >aim.target
mv generated.service /root
printf '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nAlso=aliased.service\n' >indirect.service
printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nAlias=of-aliased.service\n' >aliased.service
mkdir -p /opt/units /etc/systemd/system-generators
unit /opt/units/linked simple "$sleeps" no
cat >/etc/systemd/system-generators/it <<'END'
#!/bin/sh
cp /root/generated.service "$1"
cp /root/generated.service "$1/generated-off.service"
mkdir -p "$1/multi-user.target.wants"
ln -s ../generated.service "$1/multi-user.target.wants"
END
chmod +x /etc/systemd/system-generators/it
unit short oneshot /bin/true no
timer() { printf '[Timer]\n%s\nUnit=%s\n[Install]\nWantedBy=timers.target\n' "$2" "${3:-short.service}" >"$1.timer"; }
timer elapsed OnActiveSec=1ms
timer over OnCalendar=2020-01-01
timer daily OnCalendar=daily
timer fresh OnActiveSec=1h
timer starts-long OnActiveSec=1ms runs.service
timer idle OnCalendar=daily
timer runs-none 'OnCalendar=no time at all'
ln -s /dev/null hidden.service
ln -s /dev/null hidden.timer
printf '[Socket]\nListenStream=/run/oracle-unit\n' >waits.socket
unit waits simple "$sleeps" no
for name in sysv sysv-off; do
  printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n# Default-Start: 2 3 4 5\n' $name >/etc/init.d/$name
  printf '### END INIT INFO\nexit 0\n' >>/etc/init.d/$name
  chmod +x /etc/init.d/$name
done
for level in 2 3 4 5; do ln -sf ../init.d/sysv /etc/rc$level.d/S01sysv; done
systemctl daemon-reload
systemctl enable -q once removed aliased daily.timer indirect inst@7 runs
systemctl enable -q --runtime runtime
systemctl link -q /opt/units/linked.service
systemctl start dbus once runs 1st elapsed.timer over.timer daily.timer fresh.timer starts-long.timer aliased inst@7 \
  'a:b' 'x\x2dy' aim.target waits.socket hidden-runs gone-runs unmet dot.ted
systemctl start --no-block starting
systemctl start over
systemctl start failing nothing || :
systemd-run -q --unit=transient sleep infinity
systemctl mask -q --runtime masks-nothing
ln -sf /dev/null hidden-runs.service
rm gone-runs.service
systemctl daemon-reload
# All without a daemon-reload: systemd has the old state in its memory, and has been asked for it.
systemctl show -p UnitFileState removed made masked-later >/dev/null
rm multi-user.target.wants/removed.service
ln -s ../made.service multi-user.target.wants/made.service
rm masked-later.service
ln -s /dev/null masked-later.service
rm changed.service
"""
SERVICES = (
    "runs", "runs.service", "stopped", "1st", "indirect", "runtime", "aliased", "of-aliased", "removed", "made",
    "masked-later", "generated", "generated-off", "hidden-runs", "gone-runs", "changed", "a:b", "x\\x2dy", "dot.ted",
    "under_score", "inst@7", "inst@8", "UPPER", "upper", "failing", "once", "over", "starting", "nothing",
    "masks-nothing", "broken", "odd", "empty", "static", "unmet", "aim.target", "aim", "linked", "short", "hidden",
    "waits", "waits.socket", "sysv", "sysv-off", "transient", "nosuch", "nosuch.service", "run", "dbus", "dbus.socket",
    "daily.timer", "systemd-journald", "init.scope", "system.slice", "x-y",
)  # fmt: skip
TIMERS = (
    "elapsed",
    "over",
    "daily",
    "daily.timer",
    "fresh",
    "starts-long",
    "idle",
    "runs-none",
    "hidden",
    "nosuch",
    "runs",
)
#: Of a template it can be asked only whether it is enabled.
TEMPLATES = ("inst@", "nosuch@")


def objects(place: Path) -> None:
    """Make the units, and wait until each is in its state."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)
    for unit, state in (("elapsed.timer", "elapsed"), ("starts-long.timer", "running"), ("starting", "start")):
        assert wait_until(lambda: _show(unit)["SubState"] == state), f"{unit} is {_show(unit)}"  # noqa: B023


def _show(unit: str) -> dict[str, str]:
    words = ["systemctl", "show", "-p", "LoadState,ActiveState,SubState,NextElapseUSecRealtime,NextElapseUSecMonotonic"]
    done = subprocess.run(
        [*words, "--", unit], capture_output=True, text=True, check=True, env=os.environ | {"LC_ALL": "C"}
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences of services and of timers."""
    for kind, names in (("service", SERVICES), ("timer", TIMERS)):
        for name in names:
            unit = name if "." in name and name != "dot.ted" else f"{name}.{kind}"
            yield from _of(kind, name, unit)
    for name in TEMPLATES:
        yield from _enabled(f"the service {quoted(name)}", f"{name}.service")


def _of(kind: str, name: str, unit: str) -> Iterator[Question]:
    seen, subject = _show(unit), f"the {kind} {quoted(name)}"
    about = f"{unit}: {seen}"
    there = seen["LoadState"] != "not-found"
    yield from both(f"{subject} exists", f"{subject} does not exist", there, about)
    active = seen["ActiveState"] in ("active", "reloading", "refreshing")
    # A timer that has elapsed for the last time will not start anything any more.
    nexts = (seen.get("NextElapseUSecRealtime", "x"), seen.get("NextElapseUSecMonotonic", "x"))
    done = seen["SubState"] == "elapsed" and all(one in ("", "0", "infinity") for one in nexts)
    yield from both(f"{subject} is running", f"{subject} is not running", active and not done, about)
    yield from _enabled(subject, unit)
    if kind == "service":
        masked = seen["LoadState"] == "masked"
        yield from both(f"{subject} is masked", f"{subject} is not masked", masked, about)


def _enabled(subject: str, unit: str) -> Iterator[Question]:
    done = subprocess.run(["systemctl", "is-enabled", "--", unit], capture_output=True, text=True, check=False)
    about = f"{unit}: {done.stdout.strip()} {done.stderr.strip()}"
    yield from both(f"{subject} is enabled", f"{subject} is not enabled", done.returncode == 0, about)
