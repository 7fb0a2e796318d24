"""Which system this world is: held against Python's platform, os and socket, and what is written here."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, Question, both, bounds, quoted

HOSTNAME, FULL_NAME, ZONE = "oracle-1", "oracle-1.example.org", "Europe/Berlin"


def objects(place: Path) -> Path:
    """Give the world a name, an address for it, and a time zone."""
    socket.sethostname(HOSTNAME)
    hosts = Path("/etc/hosts")
    text = hosts.read_text()
    hosts.unlink()  # it may be a mount of the machine's own
    hosts.write_text(f"127.0.1.1 {FULL_NAME} {HOSTNAME}\n{text}")
    zone = Path("/etc/localtime")
    zone.unlink(missing_ok=True)
    zone.symlink_to(f"/usr/share/zoneinfo/{ZONE}")
    return place


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of identity."""
    release = platform.freedesktop_os_release()
    system, version = release["ID"], release["VERSION_ID"]
    like = [system, *release.get("ID_LIKE", "").split()]
    for name in ("debian", "ubuntu", "rhel", "deb", system.upper()):
        about = f"{name}: {system} {version}"
        runs, family = name.lower() == system, name.lower() in like
        yield from both(f"the host runs {quoted(name)}", f"the host does not run {quoted(name)}", runs, about)
        forms = (f"the host is of the family {quoted(name)}", f"the host is not of the family {quoted(name)}")
        yield from both(*forms, family, about)
        yield from _of_version(name, runs, version, about)
    codename = release["VERSION_CODENAME"]
    for claim, right in (
        *_texts("the codename", codename), *_texts("the architecture", os.uname().machine),
        *_texts("the hostname", HOSTNAME), *_texts("the time zone", ZONE), *_texts("the full name", FULL_NAME),
    ):  # fmt: skip
        yield from both(f"the host has {claim}", f"the host does not have {claim}", right, claim)
    yield from _of_kernel(os.uname().release)
    yield from bounds("the host has {} processors", len(os.sched_getaffinity(0)), "processors")
    yield from _of_virtualization()


def _texts(what: str, value: str) -> Iterator[tuple[str, bool]]:
    for each in (value, value + "x", value[:-1]):
        yield f"{what} {quoted(each)}", each == value


def _of_version(name: str, runs: bool, version: str, about: str) -> Iterator[Question]:
    number = int(version.partition(".")[0])
    for order, answers in (
        ("at least ", {number - 1: True, number: True, number + 1: False}),
        ("at most ", {number - 1: False, number: True, number + 1: True}),
        ("", {number - 1: False, number: True, number + 1: False}),
    ):
        for each, right in answers.items():
            claim = f"the host {{}} {quoted(name)} in {order}version {quoted(str(each))}"
            truth = right if runs else ABSENT
            yield from both(claim.format("runs"), claim.format("does not run"), truth, about)


def _of_kernel(release: str) -> Iterator[Question]:
    first, second, *_ = release.split(".")
    for order, version, right in (
        ("", release, True), ("", f"{first}.{second}", False), ("at least ", f"{first}.{second}", True),
        ("at least ", f"{first}.{int(second) + 1}", False), ("at least ", str(int(first) + 1), False),
        ("at least ", first, True), ("at most ", f"{first}.{int(second) + 1}", True), ("at most ", release, True),
        ("at most ", str(int(first) - 1), False), ("at least ", release, True),
    ):  # fmt: skip
        claim = f"the kernel {{}} {order}version {quoted(version)}"
        yield from both(claim.format("has"), claim.format("does not have"), right, release)


def _of_virtualization() -> Iterator[Question]:
    kinds = {}
    for kind, option in (("container", "--container"), ("virtual machine", "--vm")):
        done = subprocess.run(["systemd-detect-virt", option], capture_output=True, text=True, check=False)
        kinds[kind] = done.stdout.strip()
        yield from both(f"the host is a {kind}", f"the host is not a {kind}", done.returncode == 0, kinds[kind])
    for word in {"kvm", "docker", "nosuch", *kinds.values()} - {"none"}:
        right: bool | str = word in kinds.values()
        if not right and any(each.endswith("-other") for each in kinds.values()):
            right = "unknown"
        claim = f"the host {{}} virtualized by {quoted(word)}"
        yield from both(claim.format("is"), claim.format("is not"), right, str(kinds))
