"""Variables and modules of the kernel: variables of this world's own network and names, set here and read by Python;
modules in a folder over /sys/module, with files of modprobe's. The kernel here loads none, and has no /proc/modules.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, quoted

#: Variables that belong to a network namespace, or to this world's names, and what they are set to.
SET = {
    "net/ipv4/ip_forward": "1", "net/ipv4/ip_local_port_range": "20000 30000", "net/ipv4/tcp_rmem": "4096 8192 16384",
    "net/ipv4/conf/odd.100/forwarding": "1", "net/core/somaxconn": "77", "kernel/hostname": "oracle-1",
}  # fmt: skip
#: Module -> files of its folder. One with `initstate` has been loaded, one without is built in.
MODULES = {
    "ours_loaded": {
        "initstate": "live\n", "version": "1.2-k\n", "parameters/level": "3\n", "parameters/odd": "a b\\c\n",
    },
    "ours_within": {"parameters/level": "0\n"},
}  # fmt: skip
BUILT_IN = "kernel/fs/ours-named.ko\nkernel/net/other.ko\n"
FILES = {
    "/etc/modprobe.d/a.conf": "blacklist ours-away\n# blacklist commented\ninstall ours_off /bin/false\n",
    "/etc/modprobe.d/b.conf": "install \\\n  ours-far /bin/true\nblacklist\ninstall ours_else /sbin/modprobe x\n",
    "/usr/lib/modprobe.d/a.conf": "blacklist ours_hidden\ninstall ours_hidden /bin/true\n",
    "/etc/modprobe.d/readme.txt": "blacklist ours_hidden\n",
}
BLACKLISTED, DISABLED = {"ours-away", "ours_away"}, {"ours_off", "ours-far", "ours_far", "ours-off"}
STATES = {"ours_loaded": True, "ours-loaded": True, "ours_within": True, "ours_named": True, "ours-named": True,
          "ours_away": False, "ours": False, "other": True, "named": False}  # fmt: skip


def objects(place: Path) -> Path:
    """Set the variables; put the modules and files where modprobe and the kernel have theirs."""
    link = ["ip", "link", "add", "name", "odd.100", "type", "bridge"]
    subprocess.run(link, check=True)
    for name, value in SET.items():
        Path("/proc/sys", name).write_text(value)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "modules", "/sys/module"], check=True)
    for module, files in {"kernel": {"parameters/panic": "0\n"}, **MODULES}.items():
        for name, text in files.items():
            path = Path("/sys/module", module, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    Path("/sys/module/ours_loaded/parameters/secret").write_text("1\n")
    Path("/sys/module/ours_loaded/parameters/secret").chmod(0)
    builtin = Path("/lib/modules", os.uname().release, "modules.builtin")
    builtin.parent.mkdir(parents=True, exist_ok=True)
    builtin.write_text(BUILT_IN)
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    return place


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of variables and modules."""
    for name, value in SET.items():
        for written in {name, name.translate(str.maketrans("./", "/."))}:
            yield from _of_sysctl(written, value)
    for name in ("net.ipv4.nosuch", "nosuch", "net.core.somaxconn.x"):
        yield from _of_no_sysctl(name, ABSENT)
    for name in ("net.ipv4.route.flush", "net.ipv4", "net.ipv6.conf.all.stable_secret"):
        yield from _of_no_sysctl(name, UNKNOWN)
    yield from _of_modules()


def _of_sysctl(name: str, value: str) -> Iterator[Question]:
    subject, about = f"the sysctl {quoted(name)}", f"{name}: {value}"
    words = Path("/proc/sys", name if "/" in name.partition(".")[0] else name.translate(str.maketrans("./", "/.")))
    assert words.read_text().split() == value.split(), about
    yield from both(f"{subject} exists", f"{subject} does not exist", True, about)
    for each in (value, value + "0", value[:-1], "", f" {value} ", value.replace(" ", "\\t").upper()):
        right = each.split() == value.split()
        yield from both(f"{subject} is {quoted(each)}", f"{subject} is not {quoted(each)}", right, about)
        for many, among in ((f"{each}, 5", right), (f"5,{each}", right), ("5, 6", False)):
            yield from both(f"{subject} is one of {quoted(many)}", f"{subject} is none of {quoted(many)}", among, about)
    for pattern in (f"^{re.escape(' '.join(value.split()))}$", "^[0-9]", "[0-9]$", "x y", "^$", "(?i)[A-F]"):
        right = re.search(pattern, " ".join(value.split())) is not None
        forms = (f"{subject} matches {quoted(pattern)}", f"{subject} does not match {quoted(pattern)}")
        yield from both(*forms, right, about)
    numbers = value.split()
    if len(numbers) > 1:
        yield from bounds(f"{subject} is {{}}", UNKNOWN, about)
    elif value.isdigit():
        yield from bounds(f"{subject} is {{}}", int(value), about)
    for place, number in enumerate(numbers, 1):
        if number.isdigit():
            yield from bounds(f"number {place} of {subject} is {{}}", int(number), about)
    yield from bounds(f"number {len(numbers) + 1} of {subject} is {{}}", ABSENT, about)


def _of_no_sysctl(name: str, right: str) -> Iterator[Question]:
    subject = f"the sysctl {quoted(name)}"
    there = False if right == ABSENT else right
    yield from both(f"{subject} exists", f"{subject} does not exist", there, name)
    yield from both(f'{subject} is "1"', f'{subject} is not "1"', right, name)
    yield from both(f'{subject} is one of "1, 2"', f'{subject} is none of "1, 2"', right, name)
    yield from both(f'{subject} matches "."', f'{subject} does not match "."', right, name)
    yield from bounds(f"{subject} is {{}}", right, name)
    yield from bounds(f"number 1 of {subject} is {{}}", right, name)


def _of_modules() -> Iterator[Question]:
    for name, right in STATES.items():
        subject = f"the kernel module {quoted(name)}"
        yield from both(f"{subject} is loaded", f"{subject} is not loaded", right, name)
    for name in ("ours-away", "ours_away", "ours_off", "ours-off", "ours_far", "ours-far", "ours_else", "ours_hidden",
                 "commented", "ours_loaded"):  # fmt: skip
        subject = f"the kernel module {quoted(name)}"
        yield from both(f"{subject} is blacklisted", f"{subject} is not blacklisted", name in BLACKLISTED, name)
        yield from both(f"{subject} is disabled", f"{subject} is not disabled", name in DISABLED, name)
    for name, version, right in (("ours_loaded", "1.2-k", True), ("ours-loaded", "1.2", False),
                                 ("ours_within", "1", ABSENT), ("ours_away", "1", ABSENT)):  # fmt: skip
        claim = f"the kernel module {quoted(name)} {{}} version {quoted(version)}"
        yield from both(claim.format("has"), claim.format("does not have"), right, name)
    for name, parameter, value, right in _parameters():
        claim = f"the kernel module {quoted(name)} {{}} the parameter {quoted(parameter)} equal to {quoted(value)}"
        other = UNKNOWN if parameter == "secret" else ""
        yield from both(claim.format("has"), claim.format("does not have"), right, name, other)


def _parameters() -> Iterator[tuple[str, str, str, bool | str]]:
    for name, files in MODULES.items():
        for file, text in files.items():
            if file.startswith("parameters/"):
                for value in (text.strip(), text.strip() + "1", ""):
                    yield name, file.removeprefix("parameters/"), value, value == text.strip()
        yield name, "nosuch", "1", ABSENT
    yield "ours_away", "level", "3", ABSENT
    yield "ours_loaded", "secret", "1", True
