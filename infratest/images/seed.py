"""What a new machine is told at its first boot: its name, its own SSH host key, who may log in.

Called by the providers of machines. `user_data` is in the form of cloud-init, which every cloud hands on and every
cloud image reads; the images of our own recipes read the same facts without it. A host key that the controller made and
handed over is known before the first connect, so that the first connect is verified.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The facts of one machine.

    Args:
        instance: an id that changes when a machine is to begin anew. user: who logs in, with sudo where not root.
        key: the public key that is let in, one line of OpenSSH. host_private, host_public: the host's own Ed25519 key,
        in OpenSSH's formats.
    """

    instance: str
    hostname: str
    user: str
    key: str
    host_private: str
    host_public: str


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
    if commands:
        config["runcmd"] = [list(words) for words in commands]
    return "#cloud-config\n" + json.dumps(config, indent=1) + "\n"


def meta_data(seed: Seed) -> str:
    """Return cloud-init's meta data, as its NoCloud source reads them."""
    return json.dumps({"instance-id": seed.instance, "local-hostname": seed.hostname}) + "\n"
