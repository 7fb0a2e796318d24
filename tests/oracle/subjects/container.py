"""A docker daemon of the world's own, with objects of each kind: what was asked of its client says what is right."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds
from tests.worlds.tiny_container import root_files

SETTINGS = (
    "--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=overlay2", "--log-driver=local",
    "--exec-opt=native.cgroupdriver=cgroupfs",
)  # fmt: skip
OPTIONS = {"Driver": "overlay2", "LoggingDriver": "local", "CgroupDriver": "cgroupfs", "LiveRestoreEnabled": "false"}
#: Container -> state, restarts, whether it is healthy (ABSENT without a check), networks, and variables.
CONTAINERS: dict[str, tuple[str, int, bool | str, tuple[str, ...], dict[str, str]]] = {
    "busy": ("running", 0, True, ("backend",), {"TOKEN": "s3cret", "EMPTY": "", "LINES": "a\nMODE=prod"}),
    "sick": ("running", 0, False, ("none",), {}), "over": ("exited", 2, ABSENT, ("none",), {}),
    "paused": ("paused", 0, ABSENT, ("none",), {}), "made": ("created", 0, ABSENT, ("host",), {}),
}  # fmt: skip
IMAGE, VOLUME, NETWORK, SOURCE = "tiny:7", "data", "backend", "/srv/oracle/container/mounted"
PORT = "6379"
#: What is claimed of some container -> whether it is so of one.
RIGHTS = {
    "is privileged": True, "uses the network of the host": True, "sees the processes of the host": False,
    f'has "{SOURCE}" of the host mounted': True, 'has "/run/docker.sock" of the host mounted': False,
    'has "/srv/oracle/container/mount" of the host mounted': False,
    # By links, on the way to what is mounted and on the way to what is asked about, and by a volume with a device.
    'has "/srv/oracle/container/linked/mounted" of the host mounted': True,
    'has "/srv/oracle/container/other/file" of the host mounted': True,
    'has "/srv/oracle/container/deep" of the host mounted': True,
    'has "/srv/oracle/container/deep/er/still" of the host mounted': True,
    'has "/srv/oracle/container/linked/deep/er" of the host mounted': True,
    'has "/srv/oracle/container/deeper" of the host mounted': False,
}  # fmt: skip


class Objects(NamedTuple):
    """The id of the image, the port of this machine where one of the container is, and the daemon."""

    image: str
    port: str
    daemon: subprocess.Popen[bytes] | None


NOWHERE = Objects("sha256:0", "1", None)


def objects(place: Path) -> Objects:
    """Start the daemon, on a file system that it can lay others over; have what is asked about."""
    data, mounted = place / "data", Path(SOURCE)
    for path in (data, mounted, place / "deep", place / "other"):
        path.mkdir()
    for name in ("linked", "by"):
        (place / name).symlink_to(place)
    subprocess.run(["mount", "-t", "tmpfs", "containers", data], check=True)
    (place / "daemon.json").write_text("{}")
    words = ["dockerd", f"--config-file={place}/daemon.json", f"--data-root={data}", f"--exec-root={place}/exec"]
    with (place / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [*words, f"--pidfile={place}/pid", *SETTINGS], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    assert wait_until(lambda: _ready(daemon), 60), (place / "log").read_text()[-2000:]
    image = _docker("import", "-", IMAGE, data=root_files())
    _docker("volume", "create", VOLUME)
    _docker("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", f"device={place}/by/deep", "bound")
    _docker("network", "create", NETWORK)
    sleeps = (IMAGE, "/bin/sleep", "36000")
    variables = [word for name, value in CONTAINERS["busy"][4].items() for word in ("-e", f"{name}={value}")]
    check = ("--health-interval", "1s", "--health-retries", "1", "--health-cmd")
    _docker("run", "-d", "--name", "busy", "--network", NETWORK, "-p", f"127.0.0.1::{PORT}", "-v", f"{VOLUME}:/data",
            "-v", f"{SOURCE}:/mnt:ro", "-v", f"{place}/linked/other:/other", "-v", "bound:/bound",
            *variables, *check, "true", *sleeps)  # fmt: skip
    alone = ("--network", "none")
    _docker("run", "-d", "--name", "sick", *alone, *check, "grep x /nosuch", *sleeps)
    _docker("run", "-d", "--name", "over", *alone, "--restart", "on-failure:2", IMAGE, "/bin/sh", "-c", "exit 3")
    _docker("run", "-d", "--name", "paused", *alone, *sleeps)
    _docker("pause", "paused")
    _docker("create", "--name", "made", "--privileged", "--network", "host", *sleeps)
    wait_until(lambda: _of("busy", ".State.Health.Status") == "healthy", 60)
    wait_until(lambda: _of("sick", ".State.Health.Status") == "unhealthy", 60)
    wait_until(lambda: (_of("over", ".State.Status"), _of("over", ".RestartCount")) == ("exited", "2"), 60)
    return Objects(image, _docker("port", "busy", f"{PORT}/tcp").rpartition(":")[2], daemon)


def _asked(*words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Ask the world's own daemon, not the one that the tests of providers were given."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    return subprocess.run(["docker", *words], input=data, env=environment, capture_output=True, check=False)


def _docker(*words: str, data: bytes = b"") -> str:
    done = _asked(*words, data=data)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


def _ready(daemon: subprocess.Popen[bytes]) -> bool:
    assert daemon.poll() is None, "dockerd has ended"
    return Path("/var/run/docker.sock").exists() and _asked("info").returncode == 0


def _of(name: str, what: str) -> str:
    return _docker("container", "inspect", "-f", f"{{{{{what}}}}}", name)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of containers and of the daemon; who is not of its group is told nothing."""
    for claim, negation, truth, about in _claims(objects):
        yield from both(claim, negation, truth, about, UNKNOWN)
    for name in (*CONTAINERS, "nosuch"):
        restarts = CONTAINERS[name][1] if name in CONTAINERS else ABSENT
        yield from bounds(f'the container "{name}" was restarted {{}} times', restarts, name, unprivileged=UNKNOWN)


def _claims(objects: Objects) -> Iterator[tuple[str, str, bool | str, str]]:
    for kind, names in (("container", CONTAINERS), ("image", (IMAGE,)), ("volume", (VOLUME,)),
                        ("container network", (NETWORK, "none"))):  # fmt: skip
        for name in dict.fromkeys((*names, "nosuch", VOLUME)):
            start = f'the {kind} "{name}"'
            yield f"{start} exists", f"{start} does not exist", name in names, start
    for name, id in ((IMAGE, objects.image), ("nosuch:1", "")):
        for digest in (objects.image, "sha256:0"):
            has = f'the image "{name}" {{}} the digest "{digest}"'
            yield has.format("has"), has.format("does not have"), digest == id if id else ABSENT, name
    for name in (*CONTAINERS, "nosuch"):
        yield from _container(objects, name)
    yield "the docker daemon answers", "the docker daemon does not answer", True, "the daemon"
    for option, value in OPTIONS.items():
        for one in (value, "nosuch", ""):
            has = f'the docker daemon has "{option}" {{}} "{one}"'
            yield has.format("equal to"), has.format("not equal to"), one == value, option
    for words, truth in RIGHTS.items():
        yield f"a container {words}", f"no container {words}", truth, words


def _container(objects: Objects, name: str) -> Iterator[tuple[str, str, bool | str, str]]:
    start, there, busy = f'the container "{name}"', name in CONTAINERS, name == "busy"
    state, _, healthy, networks, variables = CONTAINERS.get(name, ("", 0, ABSENT, (), {}))

    def of(truth: bool | str) -> bool | str:
        return truth if there else ABSENT

    yield f"{start} is running", f"{start} is not running", of(state == "running"), name
    yield f"{start} is healthy", f"{start} is not healthy", of(healthy), name
    for image in (IMAGE, objects.image, "tiny", "redis:7"):
        truth = of(image in (IMAGE, objects.image))
        yield f'{start} runs the image "{image}"', f'{start} does not run the image "{image}"', truth, f"{name} {image}"
    at = objects.port
    for port, place, right in (
        (PORT, "", True), (f"{PORT}/tcp", "", True), (f"{PORT}/udp", "", False), ("6378", "", False), (PORT, at, True),
        (PORT, f"127.0.0.1:{at}", True), (PORT, f"0.0.0.0:{at}", False), (PORT, "1", False),
    ):  # fmt: skip
        end = f"port {port}{f' at {chr(34)}{place}{chr(34)}' if place else ''}"
        yield f"{start} publishes {end}", f"{start} does not publish {end}", of(busy and right), f"{name} {end}"
    for path, source, right in (
        ("/data", "", True), ("/data", VOLUME, True), ("/mnt/", SOURCE, True), ("/mnt", VOLUME, False),
        ("/data", "other", False), ("/nosuch", "", False),
    ):  # fmt: skip
        end = f'"{path}" mounted{f" from {chr(34)}{source}{chr(34)}" if source else ""}'
        yield f"{start} has {end}", f"{start} does not have {end}", of(busy and right), f"{name} {end}"
    for network in (NETWORK, "none", "host", "nosuch"):
        end = f'in the network "{network}"'
        yield f"{start} is {end}", f"{start} is not {end}", of(network in networks), f"{name} {end}"
    # Each is a client's call of its own, and a look has ten seconds.
    for variable in ("TOKEN", "TOKE", "EMPTY", "MODE") if name in ("busy", "over", "nosuch") else ():
        end = f'the environment variable "{variable}"'
        yield f"{start} has {end}", f"{start} does not have {end}", of(variable in variables), f"{name} {end}"
    for variable, value in (("TOKEN", "s3cret"), ("TOKEN", "s3cre"), ("TOKEN", ""), ("EMPTY", ""), ("MODE", "prod")):
        if name in ("busy", "nosuch"):
            end = f'the environment variable "{variable}"'
            truth = variables[variable] == value if variable in variables else ABSENT
            yield f'{start} has {end} equal to "{value}"', f'{start} has {end} not equal to "{value}"', truth, name
