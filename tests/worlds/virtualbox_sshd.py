"""The light guest behind the stand-in for power: a real sshd with the keys of the machine's seed volume.

A machine without one, as Vagrant's, has the keys that stand in the world's folder `keys`.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tests.worlds import virtualbox_power as power_of


class Sshd:
    """Guests that are an sshd each, on the port that leads to port 22."""

    def __init__(self, power: power_of.Power) -> None:
        self._folder = power.run_folder

    def start(self, uuid: str, info: dict[str, str]) -> None:
        folder = self._folder / uuid
        folder.mkdir(exist_ok=True)
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        told = power_of.seed(info) or {path.name: path.read_text() for path in (self._folder.parent / "keys").iterdir()}
        for name in ("host_key", "authorized_keys"):
            at = folder / name
            at.touch(mode=0o600)
            at.write_text(told[name])
        settings = {
            "HostKey": folder / "host_key",
            "AuthorizedKeysFile": folder / "authorized_keys",
            "PidFile": self._pidfile(uuid),
            "ListenAddress": f"127.0.0.1:{power_of.forwards(info)[22]}",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
        }
        words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        sshd = "/usr/sbin/sshd"
        subprocess.run(
            [sshd, "-f", "/dev/null", "-E", folder / "log", *words], check=True, env={"PATH": os.environ["PATH"]}
        )

        until = time.monotonic() + 20
        while not self.alive(uuid):  # it goes into the background before it writes down who it is
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.01)

    def alive(self, uuid: str) -> bool:
        return power_of.running(self._pidfile(uuid))

    def button(self, uuid: str) -> None:
        """An orderly power-off takes no time here."""
        self.end(uuid)

    def end(self, uuid: str) -> None:
        power_of.end_process(self._pidfile(uuid))

    def _pidfile(self, uuid: str) -> Path:
        return self._folder / f"{uuid}.pid"
