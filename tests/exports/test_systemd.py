"""Units as the export writes them, looked at by the real `systemd-analyze verify`."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infratest.alerting.policy import Policy
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports.base import Written
from infratest.exports.systemd import Options, Systemd, command
from infratest.testing.exports import HOSTILE, watch, what
from tests.worlds.monitoring_tools import LONG

FOLDER = Path("/etc/systemd/system")


def written(**options: Any) -> Written:
    return Systemd(Options(**{"program": "/usr/bin/env", **options})).write(what(watch(), policy=Policy(90)), FOLDER)


def lines(made: Written, name: str) -> list[str]:
    return made.files[name].splitlines()


def test_the_monitor_is_a_unit_that_tells_that_it_is_alive():
    monitor = lines(written(user="monitor", state="/var/lib/infratest/shop"), "infratest-monitor-shop-prod.service")
    run = '"monitor" "run" "--stack" "/srv/shop/stack.yaml" "--env" "prod" "--state" "/var/lib/infratest/shop"'
    assert f'ExecStart="/usr/bin/env" {run}' in monitor
    assert {"Type=notify", "NotifyAccess=main", "WatchdogSec=60", "Restart=always", "User=monitor"} <= set(monitor)


@pytest.mark.parametrize(
    ("state", "made"),
    [
        ("/var/lib/infratest/shop-prod", ["StateDirectory=infratest/shop-prod", "StateDirectoryMode=0700"]),
        ("/var/lib/infratest/shop-prod/", ["StateDirectory=infratest/shop-prod", "StateDirectoryMode=0700"]),
        ("/var/lib/a b", []),
        ("/var/lib/../../etc/x", []),
        ("/var/lib/%n", []),
        ("/var/lib", []),
        ("/srv/state", []),
        ("", []),
    ],
)
def test_systemd_makes_the_state_directory_where_it_can(state, made):
    units = written(user="monitor", state=state)
    for name in ("infratest-monitor-shop-prod.service", "infratest-check-shop-prod.service"):
        assert [line for line in lines(units, name) if line.startswith("StateDirectory")] == made


@pytest.mark.parametrize(
    ("user", "owner", "made"), [("", 0, True), ("nobody", 65534, True), ("nobody", 0, False), ("", 65534, False)]
)
def test_a_state_directory_of_another_user_is_not_given_away(tmp_path, monkeypatch, user, owner, made):
    """That of the call: systemd would change the owner of all that is in it, which the caller's own checks write to."""
    monkeypatch.setattr("infratest.exports.systemd.BELOW", re.compile(f"{tmp_path}/(.*)"))
    there = tmp_path / "shop"
    exports = Systemd(Options(program="/usr/bin/env", user=user))
    before = exports.write(what(watch(), state=str(there)), FOLDER)
    assert "StateDirectory=shop" in lines(before, "infratest-monitor-shop-prod.service")
    there.mkdir()
    os.chown(there, owner, -1)
    after = exports.write(what(watch(), state=str(there)), FOLDER)
    assert ("StateDirectory=shop" in lines(after, "infratest-monitor-shop-prod.service")) is made
    assert [each.about for each in after.left] == ([] if made else [str(there)])
    own = written(user=user, state=str(there))  # who says that it is the unit's means it
    assert "StateDirectory=shop" in lines(own, "infratest-monitor-shop-prod.service")


@pytest.mark.parametrize(("heals", "heal"), [(True, True), (True, False), (False, True)])
def test_the_monitor_heals_where_there_is_a_rule_unless_it_shall_not(heals, heal):
    options = Options(program="/usr/bin/env", heal=heal)
    made = Systemd(options).write(what(watch(heals=heals), policy=Policy(90)), FOLDER)
    assert ('"monitor" "run" "--heal"' in made.files["infratest-monitor-shop-prod.service"]) is (heals and heal)


def test_checks_by_a_timer_write_metrics():
    made = written()
    (start,) = [line for line in lines(made, "infratest-check-shop-prod.service") if line.startswith("ExecStart=")]
    to = "prometheus:/var/lib/prometheus/node-exporter/infratest-shop-prod.prom"
    where = '"check" "--stack" "/srv/shop/stack.yaml" "--env" "prod"'
    assert start.endswith(f'{where} "--timeout" "90s" "--format" "nagios" "--format" "{to}"')
    assert "OnUnitActiveSec=90" in lines(made, "infratest-check-shop-prod.timer")


def test_its_own_checker_takes_them(machine):
    assert (
        Systemd(Options()).validate(written(state="/var/lib/infratest/shop").files, machine, Deadline(LONG))
        == "systemd-analyze verify takes it: 3 units"
    )


def test_what_its_checker_refuses_is_refused_in_its_words(machine):
    made = dict(written(program="/no such/infratest").files)
    with pytest.raises(InfratestError, match=r"(?s)ends with status.*/no such/infratest is not executable"):
        Systemd(Options()).validate(made, machine, Deadline(LONG))


def test_hostile_words_are_what_systemd_understands_or_refused(tmp_path):
    """The path of a program is the one word that the checker looks for, so it stands for all."""
    kept = []
    for place, word in enumerate(HOSTILE):
        program = tmp_path / str(place) / (word.replace("/", "_") or "x")
        with contextlib.suppress(UserError, OSError, UnicodeEncodeError):
            line = command([str(program)])
            program.parent.mkdir()
            program.touch(0o755)
            unit = program.parent / "x.service"
            unit.write_text(f"[Service]\nExecStart={line}\n", encoding="utf-8")
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, check=False)
            assert done.returncode == 0, (word, line, done.stderr)
            kept.append(word)
    assert {"a b", "a;b", "$HOSTNAME$", "$(id)", "`id`", "%h", "%n", "a%%b", "é", "{{ $value }}", "#a"} <= set(kept)


@pytest.mark.parametrize(
    "word, written",
    [
        ("a b", '"a b"'),
        ("$HOME", '"$$HOME"'),
        ("%h", '"%%h"'),
        ('a"b', r'"a\"b"'),
        ("a\\n", r'"a\\n"'),
        ("it's; x", '"it\'s; x"'),
    ],
)
def test_words(word, written):
    assert command(["/bin/x", word]) == f'"/bin/x" {written}'
