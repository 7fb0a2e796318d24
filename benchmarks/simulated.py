"""Hosts of the provider `fake` that stand, as `up` leaves them: bringing up so many is not what is measured."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from benchmarks import environment


def stand(folder: Path, stack: str, names: Iterable[str], extras: str = "") -> None:
    """Have these hosts stand in the `world` of a project. Args: extras: as of `environment.ours`."""
    words = (
        "import pathlib; from infratest.store.directory import StateDir as S; print(S(pathlib.Path('.infratest')).id)"
    )
    state = subprocess.check_output([environment.ours(extras) / "python", "-c", words], cwd=folder, text=True).strip()
    (folder / "world").mkdir()
    for name in names:
        labels = {"infratest.stack": stack, "infratest.env": "", "infratest.state": state, "infratest.name": name}
        host = {"kind": "host", "id": f"host-{name}", "name": name, "labels": labels, "state": "running"}
        (folder / "world" / f"{name}.json").write_text(json.dumps(host))
