"""Sentences asked by the installed program, in one run, with secret parameters from the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def ask(
    folder: Path, sentences: Sequence[str], secrets: Mapping[str, str] | None = None, under: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Return the state and the reason of each sentence about this machine.

    Args:
        under: words before those of the program, which run it elsewhere.
    Raises:
        AssertionError: the program left an answer out, or a secret stands in what it printed or kept.
    """
    secrets = secrets or {}
    declared = "".join(f"  {name}: {{type: string, secret: true, from: {{env: {name}}}}}\n" for name in secrets)
    stack = "stack: asked\nprovider: local\nhosts: {it: {}}\n" + (f"parameters:\n{declared}" if secrets else "")
    (folder / "stack.yaml").write_text(stack)
    lines = [f"  Scenario: number {number}\n    Then {text}\n" for number, text in enumerate(sentences)]
    (folder / "asked.feature").write_text("Feature: asked\n" + "".join(lines))
    program = Path(sys.executable).with_name("infratest")
    words = [
        program,
        "check",
        "-vv",
        "--format",
        "json:report.json",
        "--format",
        "text",
        "--timeout",
        "200s",
        "asked.feature",
    ]
    engine = {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}
    variables = {"HOME": str(folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **engine, **secrets}
    done = subprocess.run(
        [*under, *words], cwd=folder, env=variables, capture_output=True, text=True, timeout=250, check=False
    )
    output = done.stdout + done.stderr
    assert (folder / "report.json").exists(), output
    kept = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    for name, secret in secrets.items():
        assert secret not in output, name
        assert json.dumps(secret)[1:-1] not in output, name
        assert not any(secret.encode() in data or json.dumps(secret)[1:-1].encode() in data for data in kept), name
    results = {one["scenario"]: one for one in json.loads((folder / "report.json").read_text())["results"]}
    return [
        (results[f"number {number}"]["state"], results[f"number {number}"]["reason"])
        for number in range(len(sentences))
    ]
