"""A project of infratest for hosts over the link: stack.yaml, features, and a state directory of its own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.server import Keys


def project(folder: Path, keys: Keys, addresses: Sequence[str], feature: str, more: str = "") -> Path:
    """Write a project anew, its hosts named h1, h2, ...; return its folder. Args: more: options of its provider."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    hosts = "".join(f"  h{n}: {{address: {each}}}\n" for n, each in enumerate(addresses, 1))
    (folder / "stack.yaml").write_text(
        "stack: bench\n"
        f"provider: {{name: existing, known-hosts: {keys.known_hosts}, config: none, agent: false{more}}}\n"
        f"defaults: {{user: root, key: {keys.user}}}\n"
        f"features: [mix.feature]\nhosts:\n{hosts}"
    )
    (folder / "mix.feature").write_text(feature)
    return folder
