"""What a new machine is told: its name, its own SSH host key, who may log in, its address in the stack's network.

By a seed volume, which the first boot reads, so that the first connect is verified already. A machine from a Vagrant
box reads none: it is told the same at the first login, by the key that is in the box; that one connect goes unverified
over this machine's own loopback, and at its end the box's key is let in no more. Called by the VirtualBox provider.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from infratest.cleaning import ending
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images import seed_volume
from infratest.images.seed import END, UNITS, Seed, end_units
from infratest.local_program import call
from infratest.providers import _host_ports, _ssh_keys
from infratest.providers.virtualbox.machine import SEED, mac, with_colons
from infratest.providers.virtualbox.registry import Record
from infratest.quoting import quoted

#: Seconds between two tries of the first login, and for one of them.
PAUSE, ATTEMPT = 1.0, 60.0

#: The exit status of ssh where it did not get in.
NOT_IN = 255

#: Run on a machine from a box, as its user; once more does no harm. What it needs is put before it as shell variables.
#: The second card is known by its hardware address, and gets its own address at every boot.
ADOPT = r"""
set -eu
umask 077
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
as_root true
if [ -n "$off_at" ]; then
    printf '%s' "$end_service" | as_root tee "$units/$end.service" >/dev/null
    printf '%s' "$end_timer" | as_root tee "$units/$end.timer" >/dev/null
    as_root chmod 644 "$units/$end.service" "$units/$end.timer"
    as_root systemctl daemon-reload
    as_root systemctl enable -q --now "$end.timer"
    [ "$(date +%s)" -lt "$off_at" ] || as_root systemctl --no-block poweroff
fi
printf '%s\n' "$host_private" | as_root tee /etc/ssh/ssh_host_ed25519_key >/dev/null
as_root chmod 600 /etc/ssh/ssh_host_ed25519_key
printf '%s\n' "$host_public" | as_root tee /etc/ssh/ssh_host_ed25519_key.pub >/dev/null
as_root chmod 644 /etc/ssh/ssh_host_ed25519_key.pub
if grep -q '^[[:space:]]*HostKey' /etc/ssh/sshd_config && ! grep -q '^[[:space:]]*HostKey.*ed25519' /etc/ssh/sshd_config
then echo 'HostKey /etc/ssh/ssh_host_ed25519_key' | as_root tee -a /etc/ssh/sshd_config >/dev/null; fi
as_root hostname "$hostname"
printf '%s\n' "$hostname" | as_root tee /etc/hostname >/dev/null
as_root chmod 644 /etc/hostname
grep -q "^127.0.1.1[[:space:]].*$hostname" /etc/hosts ||
    printf '127.0.1.1 %s\n' "$hostname" | as_root tee -a /etc/hosts >/dev/null
as_root tee /usr/local/sbin/infratest-address >/dev/null <<END
#!/bin/sh
for card in /sys/class/net/*; do
    [ "\$(cat "\$card/address")" = "$mac" ] || continue
    ip link set "\${card##*/}" up
    ip address replace "$address" dev "\${card##*/}"
done
END
as_root chmod 755 /usr/local/sbin/infratest-address
as_root tee /etc/systemd/system/infratest-address.service >/dev/null <<END
[Unit]
Description=The address in the network of this stack's hosts
After=systemd-udev-settle.service network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/infratest-address
[Install]
WantedBy=multi-user.target
END
as_root chmod 644 /etc/systemd/system/infratest-address.service
as_root systemctl enable -q infratest-address.service
as_root systemctl start infratest-address.service || true
as_root systemctl restart ssh.service 2>/dev/null || as_root systemctl restart sshd.service
mkdir -p ~/.ssh
printf '%s\n' "$key" > ~/.ssh/authorized_keys
echo adopted
"""


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """What a machine is told that is new: its own key, the public half of the stack's user's, when it powers off."""

    host_key: _ssh_keys.KeyPair
    user_key: str
    off_at: int = 0


def mark(host: str, identity: str) -> str:
    """Return what known_hosts has behind the key of a machine."""
    return f"infratest:{host}:{identity[:12]}"


def prepare(record: Record, address: str, keys: Path, known_hosts: Path, off_at: int = 0) -> Newcomer:
    """Make a machine's keys, write its seed volume into its folder, and its host key into known_hosts.

    Args:
        address: in the stack's network, with the network's length. keys: the state directory's folder of keys.
        off_at: when it powers itself off, in seconds since the epoch; 0 for never.
    """
    host_key = _ssh_keys.new_key()
    _, user_key = _ssh_keys.user_key(keys)
    seed = Seed(
        instance=record.uuid,
        hostname=record.host[:63],
        user=record.user,
        key=user_key,
        host_private=host_key.private.decode("ascii"),
        host_public=host_key.public,
        off_at=off_at,
    )
    card = seed_volume.SecondCard(
        first=with_colons(mac(record.uuid, 1)), mac=with_colons(mac(record.uuid, 2)), address=address
    )
    seed_volume.write(Path(record.folder, SEED), seed, card)
    name = _ssh_keys.lookup_name(_host_ports.LOOPBACK, _host_ports.allotted(record.uuid)[22])
    _ssh_keys.remember(known_hosts, [name], host_key.public, mark(record.host, record.uuid))
    return Newcomer(host_key=host_key, user_key=user_key, off_at=off_at)


def adopt(record: Record, newcomer: Newcomer, key: Path, address: str, keys: Path, deadline: Deadline) -> None:
    """Log in to a machine from a box as soon as it answers, and have it take its own keys, name and address.

    Args:
        key: the private key that the box lets in. keys: as for `prepare`.
    Raises:
        ProviderError: it did not answer before the deadline, or did not let us in; its last words.
    """
    program = shutil.which("ssh")
    if program is None:
        raise ProviderError("a machine from a box is first logged in to by `ssh`, which is not in PATH: install it")
    variables = {
        "host_private": newcomer.host_key.private.decode("ascii").rstrip("\n"),
        "host_public": newcomer.host_key.public,
        "hostname": record.host[:63],
        "key": newcomer.user_key,
        "mac": with_colons(mac(record.uuid, 2)),
        "address": address,
        **_end(newcomer.off_at),
    }
    script = "".join(f"{name}={quoted(value)}\n" for name, value in variables.items()) + ADOPT
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, "key")  # ssh refuses a key that others can read
        own.touch(mode=0o600)
        own.write_bytes(key.read_bytes())
        for attempt in count():
            # A host key for each attempt: the one before may have got so far as to give the machine another.
            options = _options(record, [own, keys / "id_ed25519"], Path(folder, f"known_hosts-{attempt}"))
            status, words = _tried([program, *options, "sh -s"], script, deadline)
            if status == 0:
                return
            if deadline.left <= PAUSE or status != NOT_IN:
                raise ProviderError(
                    f"host {record.host}: the first login as {record.user} by the box's own key did not do its work: "
                    f"{words}; a box needs sudo without a password"
                )
            time.sleep(PAUSE)


def _end(off_at: int) -> dict[str, str]:
    """Return what the script needs to know of when the machine powers itself off."""
    if not off_at:
        return {"off_at": ""}
    units = end_units(off_at)
    told = {"end_service": units[f"{END}.service"], "end_timer": units[f"{END}.timer"]}
    return {"off_at": str(off_at), "units": UNITS, "end": END, **told}


def _tried(command: list[str], script: str, deadline: Deadline) -> tuple[int, str]:
    """Return how one login ended, and its last words; one that hangs is as one that fails: a port of VirtualBox's NAT
    takes connections before the machine behind it listens."""
    limit = deadline.at_most(ATTEMPT)
    try:
        status, out, err = call(command, limit, script.encode())
    except ProviderError as error:
        if not limit.passed:
            raise
        return NOT_IN, str(error)
    if status == 0 and "adopted" not in out:
        return 1, "it ended before its end"
    return status, ending(" ".join((err or out).split()), 300) or f"exit {status}"


def _options(record: Record, keys: Sequence[Path], known_hosts: Path) -> list[str]:
    told = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": str(known_hosts),
        "ConnectTimeout": "10",
        "PubkeyAcceptedAlgorithms": "+ssh-rsa",  # of old boxes, whose key is RSA and whose sshd knows no other hash
        "HostKeyAlgorithms": "+ssh-rsa",
        "LogLevel": "ERROR",
    }
    words = [word for name, value in told.items() for word in ("-o", f"{name}={value}")]
    port = str(_host_ports.allotted(record.uuid)[22])
    identities = [word for key in keys for word in ("-i", str(key))]
    return ["-F", "none", *words, *identities, "-p", port, "-l", record.user, _host_ports.LOOPBACK]
