"""Faults of docker's daemon: it does not run, is set otherwise, or has a container with rights none should have."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._json_file import VALUED
from infratest.mutations._path import WRITTEN_BACK
from infratest.mutations._unit import stopped
from infratest.mutations.base import Claim, Fault, ScriptAct

FILE = "/etc/docker/daemon.json"
#: An option in `docker info` -> its key in daemon.json, and a value that it may have (dockerd(8)).
KEYS = {
    "LiveRestoreEnabled": ("live-restore", ("true", "false")),
    "LoggingDriver": ("log-driver", ('"none"', '"json-file"', '"local"')),
    "ExperimentalBuild": ("experimental", ("true", "false")),
    "Debug": ("debug", ("true", "false")),
}
#: More than three starts in a minute are a failure (StartLimitBurst of docker's unit).
ANEW = """for unit in docker.socket docker.service; do systemctl reset-failed -- "$unit" 2>/dev/null || :; done
systemctl restart docker"""
SET = f"{VALUED}\n{ANEW}"
AS_BEFORE = f"""if [ -e "$1" ]; then
  {WRITTEN_BACK}
  {ANEW}
fi"""
#: What comes behind $1 are options of docker-create(1). Of an image with nothing in it: it is not started.
MADE = """kept=$1 name=infratest-${1##*-}
shift
: >"$kept"
tar -cf "$kept.tar" -T /dev/null
docker import "$kept.tar" "$name:fault" >/dev/null
docker create --name "$name" "$@" "$name:fault" /none >/dev/null"""
REMOVED = """if [ -e "$1" ]; then
  name=infratest-${1##*-}
  docker rm -f "$name" >/dev/null 2>&1 || :
  docker rmi -f "$name:fault" >/dev/null 2>&1 || :
  rm -f -- "$1" "$1.tar"
fi"""
NONE = "the containers that are there are left as they are"


def answers(claim: Claim) -> Act | str:
    """Stop it, with its socket."""
    if claim.negated:
        return "nothing that answers is put in the place of nothing"
    return stopped("docker is stopped", "units=docker.service")


def option(claim: Claim) -> Act | str:
    """Set it otherwise."""
    check = claim.check
    key, values = KEYS.get(check.name, ("", ()))
    plain = [value for value in values if (value.strip('"') == check.value) == claim.negated]
    if not plain:
        return f"how {check.name} of docker gets another value is not known"
    return ScriptAct(f"{key} of docker is made {plain[0]}", SET, AS_BEFORE, (FILE, key, plain[0]))


def privileged(claim: Claim) -> Act | str:
    """Make one."""
    return made("that is privileged", "--privileged") if claim.negated else NONE


def network(claim: Claim) -> Act | str:
    """Make one."""
    return made("with the host's network", "--network", "host") if claim.negated else NONE


def processes(claim: Claim) -> Act | str:
    """Make one."""
    return made("that sees the host's processes", "--pid", "host") if claim.negated else NONE


def mounted(claim: Claim) -> Act | str:
    """Make one."""
    path = claim.check.path
    return made(f"with {path} mounted", "--volume", f"{path}:/mounted") if claim.negated else NONE


def made(words: str, *options: str) -> Act:
    """Return what makes a container, and does not start it."""
    return ScriptAct(f"a container {words} is made", MADE, REMOVED, options)


FAULTS: dict[str, Fault] = {
    "DockerAnswers": answers,
    "DockerOption": option,
    "ContainerPrivileged": privileged,
    "ContainerHostNetwork": network,
    "ContainerHostProcesses": processes,
    "ContainerHasMounted": mounted,
}
