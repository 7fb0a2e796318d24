"""Capabilities given to files with setcap; profiles in a file over AppArmor's; SELinux as this kernel has it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, quoted

#: File -> what setcap gives it, and which capabilities who starts it may have then.
FILES = {
    "bound": ("cap_net_bind_service=ep", {"cap_net_bind_service"}),
    "two words": ("cap_net_raw,cap_net_admin=p", {"cap_net_raw", "cap_net_admin"}),
    "inherits": ("cap_kill=i", set[str]()),
    "plain": ("", set[str]()),
    "all": ("=ep", {"cap_net_bind_service", "cap_net_raw", "cap_net_admin", "cap_kill", "cap_sys_admin"}),
    "all but one": ("all=ep cap_kill-p", {"cap_net_bind_service", "cap_net_raw", "cap_net_admin", "cap_sys_admin"}),
    "all and one": ("=i cap_kill+p", {"cap_kill"}),
}
ASKED = ("cap_net_bind_service", "cap_net_raw", "cap_net_admin", "cap_kill", "cap_sys_admin", "CAP_NET_RAW")
PROFILES = {"docker-default": "enforce", "/usr/sbin/x": "complain", "odd (name)": "kill"}


def objects(place: Path) -> Path:
    """Make the files and the profiles."""
    for name, (capabilities, _) in FILES.items():
        shutil.copy("/bin/true", place / name)
        if capabilities:
            subprocess.run(["setcap", capabilities, place / name], check=True)
    (place / "hidden").mkdir(mode=0o700)
    shutil.copy("/bin/true", place / "hidden/x")
    subprocess.run(["mount", "-t", "tmpfs", "profiles", "/sys/kernel/security"], check=True)
    profiles = Path("/sys/kernel/security/apparmor/profiles")
    profiles.parent.mkdir()
    profiles.write_text("".join(f"{name} ({mode})\n" for name, mode in PROFILES.items()))
    profiles.chmod(0o400)
    return place


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of capabilities, AppArmor and SELinux."""
    for capability in ASKED:
        for name, (_, given) in FILES.items():
            yield from _of_file(place / name, capability, capability.lower() in given)
        yield from _of_file(place / "nosuch", capability, ABSENT)
        yield from _of_file(place / "hidden/x", capability, False, UNKNOWN)
    for name in (*PROFILES, "docker", "nosuch"):
        subject, loaded = f"the AppArmor profile {quoted(name)}", name in PROFILES
        yield from both(f"{subject} is loaded", f"{subject} is not loaded", loaded, name, UNKNOWN)
        for mode in ("enforce", "complain", "kill"):
            right = PROFILES[name] == mode if loaded else ABSENT
            forms = (f"{subject} has the mode {quoted(mode)}", f"{subject} does not have the mode {quoted(mode)}")
            yield from both(*forms, right, name, UNKNOWN)
    registered = "selinuxfs" in Path("/proc/filesystems").read_text()
    for mode in ("enforcing", "permissive", "disabled"):
        right = UNKNOWN if registered else mode == "disabled"
        yield from both(f"SELinux is {mode}", f"SELinux is not {mode}", right, mode)


def _of_file(path: Path, capability: str, right: bool | str, other: str = "") -> Iterator[Question]:
    claim = f"the file {quoted(str(path))} {{}} the capability {quoted(capability)}"
    yield from both(claim.format("has"), claim.format("does not have"), right, f"{path}: {right}", other)
