"""Names of what libvirt holds for us, and of host keys: readable; whose a host is its lease says."""

from __future__ import annotations

import hashlib
import re


def name(stack: str, env: str, host: str, state: str) -> str:
    """Return libvirt's name of a host, or of its stack's network where `host` is empty."""
    parts = ["infratest", stack, env, host, state[:8]]
    return "-".join(re.sub(r"[^A-Za-z0-9_.-]", "_", part) for part in parts if part)


def mac(identity: str) -> str:
    """Return a hardware address by the host's id, with the prefix that libvirt itself takes for QEMU."""
    digest = hashlib.sha256(identity.encode()).hexdigest()
    return "52:54:00:" + ":".join(digest[at : at + 2] for at in (0, 2, 4))


def alias(identity: str) -> str:
    """Return the name that a host's key has in known_hosts: its address may be another host's tomorrow."""
    return f"infratest-{identity}"


def mark(host: str, identity: str) -> str:
    """Return the mark by which lines of known_hosts are found again."""
    return f"infratest:{host}:{identity[:12]}"
