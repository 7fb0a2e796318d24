"""Services of OpenRC, SysV init and runit, each of which is process 1 of a machine of its own."""

from __future__ import annotations

import subprocess

import pytest

from infratest.errors import FactError
from infratest.facts.base import Answer
from infratest.outsiders import get
from infratest.testing.waiting import wait_until
from tests.worlds.inits import KINDS, running

#: Init system, service -> whether it is there, is active, is enabled; None where that is not known. Written by hand.
SERVICES = {
    "OpenRC": {"works": (True, True, True), "idle": (True, False, False), "nosuch": (False, False, False)},
    "SysV init": {
        "works": (True, True, True), "idle": (True, False, False), "nosuch": (False, False, False),
        "killed": (True, False, False), "mute": (None, None, False),
    },
    "runit": {
        "works": (True, True, True), "idle": (True, False, False), "nosuch": (False, False, False),
        "unlinked": (True, False, False),
    },
}  # fmt: skip


#: Of `works` and `idle`, the run levels; None where they are not asked. Written by hand.
LEVELS = {"OpenRC": (("default",), ()), "SysV init": (("2",), ()), "runit": None}


@pytest.fixture(scope="module", params=sorted(KINDS))
def machine(request, tmp_path_factory):
    with running(KINDS[request.param], tmp_path_factory.mktemp("init")) as words:
        # While it starts, it may not be able to say anything.
        assert wait_until(lambda: getattr(looked(words, "service", "works")["works",], "active", "") == "active")
        yield request.param, words


def looked(words, fact, *names, shell=("sh",), as_user=()):
    arguments = [(name,) for name in names]
    one = get("fact", fact)()
    done = subprocess.run(
        [*words, "LC_ALL=C", *as_user, *shell, "-s"],
        input=one.ask(arguments),
        capture_output=True,
        text=True,
        timeout=30,
    )
    return one.read(Answer(done.returncode, done.stdout, done.stderr), arguments)


@pytest.mark.parametrize("shell", [("sh",), ("busybox", "sh"), ("mksh",)], ids=" ".join)
def test_services_are_what_they_were_made(machine, shell):
    system, words = machine
    services = SERVICES[system]
    units = looked(words, "service", *services, shell=shell)
    files = looked(words, "unit-file", *services, shell=shell)
    for name, (there, active, enabled) in services.items():
        unit, file = units[name,], files[name,]
        assert (file.enabled, file.system, file.problem) == (enabled, system, ""), name
        if there is None:
            assert isinstance(unit, FactError)
            assert "its script has no status" in str(unit)
        else:
            assert (unit.load != "not-found", unit.active == "active", unit.system) == (there, active, system), name


def test_what_is_systemds_alone_is_unknown(machine):
    system, words = machine
    found = looked(words, "service", "backup.timer", "works")
    assert f"known on systemd alone, and this host has {system}" in str(found["backup.timer",])
    assert found["works",].active == "active"
    assert "known on systemd alone" in looked(words, "unit-file", "backup.timer")["backup.timer",].problem
    with pytest.raises(FactError, match="this is known on systemd alone, and process 1 of this host is"):
        looked(words, "systemd", "")


def test_who_may_not_ask_runit_gets_unknown(machine):
    system, words = machine
    if system == "runit":
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        assert "access denied" in str(looked(words, "service", "works", as_user=nobody)["works",])


@pytest.mark.parametrize("shell", [("sh",), ("busybox", "sh"), ("mksh",)], ids=" ".join)
def test_run_levels_are_those_of_the_links(machine, shell):
    system, words = machine
    if LEVELS[system] is None:
        with pytest.raises(FactError, match="run levels of runit are not asked"):
            looked(words, "run-level", "works", shell=shell)
        return
    found = looked(words, "run-level", "works", "idle", "nosuch", shell=shell)
    assert (found["works",].levels, found["idle",].levels) == LEVELS[system]
    assert [found[name,].there for name in ("works", "idle", "nosuch")] == [True, True, False]
    assert found["nosuch",].levels == ()


@pytest.mark.parametrize("shell", [("sh",), ("busybox", "sh"), ("mksh",)], ids=" ".join)
def test_all_services_are_listed_with_what_the_next_boot_does(machine, shell):
    system, words = machine
    units = looked(words, "unit-list", "", shell=shell)["",]
    assert units.system == system
    listed = {one.name.removesuffix(".service"): one.state for one in units.units}
    expected = {name: "enabled" if enabled else "disabled" for name, (_, _, enabled) in SERVICES[system].items()}
    del expected["nosuch"]
    assert listed.items() >= expected.items()
    assert "nosuch" not in listed
