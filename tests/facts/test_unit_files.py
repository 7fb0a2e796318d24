"""The fact `unit-file`: every word of `systemctl is-enabled`, by the real one, about files of a folder."""

from __future__ import annotations

import os
import shutil
import subprocess

from infratest.facts._systemd import BOOTED
from infratest.facts.base import Answer
from infratest.facts.unit_file import UnitFileFact

SERVICE = "[Service]\nExecStart=/bin/true\n"
INSTALL = f"{SERVICE}[Install]\nWantedBy=multi-user.target\n"
OURS, ADMIN, RUNTIME = "usr/lib/systemd/system", "etc/systemd/system", "run/systemd/system"
WANTS = "multi-user.target.wants"

#: Paths below the folder, and what stands there: the text of a file, or where a link leads to.
FILES = {
    f"{OURS}/on.service": INSTALL, f"{ADMIN}/{WANTS}/on.service": f"/{OURS}/on.service",
    f"{OURS}/until-boot.service": INSTALL, f"{RUNTIME}/{WANTS}/until-boot.service": f"/{OURS}/until-boot.service",
    f"{OURS}/off.service": INSTALL, f"{OURS}/plain.service": SERVICE,
    f"{OURS}/also.service": f"{SERVICE}[Install]\nAlso=on.service\n",
    f"{OURS}/real.service": INSTALL, f"{ADMIN}/other-name.service": f"/{OURS}/real.service",
    f"{OURS}/never.service": INSTALL, f"{ADMIN}/never.service": "/dev/null",
    f"{OURS}/not-now.service": INSTALL, f"{RUNTIME}/not-now.service": "/dev/null",
    "opt/far.service": INSTALL, f"{ADMIN}/far.service": "/opt/far.service",
    "opt/far-now.service": INSTALL, f"{RUNTIME}/far-now.service": "/opt/far-now.service",
    "run/systemd/generator/made.service": INSTALL, "run/systemd/transient/started.service": INSTALL,
    f"{OURS}/of@.service": INSTALL, f"{ADMIN}/{WANTS}/of@one.service": f"/{OURS}/of@.service",
    f"{OURS}/odd.service": f"nonsense\n{SERVICE}",
}  # fmt: skip

#: Unit -> systemd's word for it, and whether it is enabled: systemctl(1), is-enabled.
RIGHT = {
    "on": ("enabled", True), "until-boot": ("enabled-runtime", True), "off": ("disabled", False),
    "plain": ("static", True), "also": ("indirect", True), "other-name": ("alias", True), "never": ("masked", False),
    "not-now": ("masked-runtime", False), "far": ("linked", False), "far-now": ("linked-runtime", False),
    "made": ("generated", True), "started": ("transient", False), "of@one": ("enabled", True),
    "of@two": ("disabled", False), "odd": ("static", True), "nosuch": ("", False),
}  # fmt: skip


def test_a_unit_is_enabled_as_systemctl_ends(tmp_path):
    systemctl = shutil.which("systemctl")
    assert systemctl, "systemd is not installed"
    for path, content in FILES.items():
        place = tmp_path / "root" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("/"):
            place.symlink_to(content)
        else:
            place.write_text(content)
    (tmp_path / "bin").mkdir()
    (tmp_path / "booted").mkdir()
    wrapper = tmp_path / "bin" / "systemctl"
    wrapper.write_text(f'#!/bin/sh\nexec {systemctl} --root={tmp_path}/root "$@"\n')
    wrapper.chmod(0o755)
    fact, path = UnitFileFact(), f"{tmp_path}/bin:{os.environ['PATH']}"
    # Together they are asked once where all have a file and a word that is known, else each by itself.
    for names in (("on", "off", "plain", "never", "far"), tuple(RIGHT)):
        arguments = [(name,) for name in names]
        script = fact.ask(arguments).replace(BOOTED, f"{tmp_path}/booted")
        done = subprocess.run(["sh", "-c", script], env={"PATH": path}, capture_output=True, text=True, timeout=60)
        found = fact.read(Answer(done.returncode, done.stdout, done.stderr), arguments)
        seen = {name: (found[(name,)].state, found[(name,)].enabled) for name in names}
        assert seen == {name: RIGHT[name] for name in names}, done
        assert not any(file.problem for file in found.values())
