"""What a new machine is told at its first boot: its name, its own SSH host key, who may log in.

Called by the providers of machines. `user_data` is in the form of cloud-init, which every cloud hands on and every
cloud image reads; the images of our own recipes read the same facts without it. A host key that the controller made and
handed over is known before the first connect, so that the first connect is verified.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: Of the units that power a machine off: their folder, and their name without its ending.
UNITS, END = "/etc/systemd/system", "infratest-end"


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The facts of one machine.

    Args:
        instance: an id that changes when a machine is to begin anew. user: who logs in, with sudo where not root.
        key: the public key that is let in, one line of OpenSSH. host_private, host_public: the host's own Ed25519 key,
        in OpenSSH's formats. off_at: when it powers itself off, in seconds since the epoch; 0 for never.
    """

    instance: str
    hostname: str
    user: str
    key: str
    host_private: str
    host_public: str
    off_at: int = 0


def user_data(seed: Seed, commands: Sequence[Sequence[str]] = ()) -> str:
    """Return cloud-init's user data (`#cloud-config`; JSON, which is YAML too). It holds a private key: never log it.

    Args:
        commands: run once as root, at the end of the first boot.
    """
    config: dict[str, Any] = {
        "hostname": seed.hostname,
        "preserve_hostname": False,
        "manage_etc_hosts": "localhost",
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": seed.host_private, "ed25519_public": seed.host_public},
        # Not by `ssh_pwauth`: for it cloud-init restarts the SSH server when somebody may have logged in already, and
        # for a moment the next login is refused. Files are written before the server starts the first time.
        "write_files": [{"path": "/etc/ssh/sshd_config.d/10-infratest.conf", "content": "PasswordAuthentication no\n"}],
    }
    if seed.user == "root":
        config |= {"disable_root": False, "ssh_authorized_keys": [seed.key]}
    else:
        config["users"] = [
            {
                "name": seed.user,
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "lock_passwd": True,
                "ssh_authorized_keys": [seed.key],
            }
        ]
    if seed.off_at:
        units = {f"{UNITS}/{name}": text for name, text in end_units(seed.off_at).items()}
        config["write_files"] += [{"path": path, "content": text} for path, text in units.items()]
        commands = [*commands, *_begin_end(seed.off_at)]
    if commands:
        config["runcmd"] = [list(words) for words in commands]
    return "#cloud-config\n" + json.dumps(config, indent=1) + "\n"


def end_units(off_at: int) -> dict[str, str]:
    """Return the units that power a machine off at a time, by name: a timer that outlasts reboots (systemd.timer(5)).

    A machine that was off at that moment powers off again when it is started: the timer is persistent. systemd looks
    at it anew when the clock is set, as on a machine that goes on from a saved memory.
    """
    title = "[Unit]\nDescription=Power off when the budget of the stack is over\n"
    at = datetime.fromtimestamp(off_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    timer = f"[Timer]\nOnCalendar={at}\nAccuracySec=1s\nPersistent=true\n"
    return {
        f"{END}.service": f"{title}\n[Service]\nType=oneshot\nExecStart=/bin/systemctl --no-block poweroff\n",
        f"{END}.timer": f"{title}\n{timer}\n[Install]\nWantedBy=timers.target\n",
    }


def _begin_end(off_at: int) -> list[list[str]]:
    """Return what starts them; a timer whose time has passed before it began would never run."""
    late = f'[ "$(date +%s)" -lt {off_at} ] || systemctl --no-block poweroff'
    return [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", f"{END}.timer"], ["sh", "-c", late]]


def meta_data(seed: Seed) -> str:
    """Return cloud-init's meta data, as its NoCloud source reads them."""
    return json.dumps({"instance-id": seed.instance, "local-hostname": seed.hostname}) + "\n"
