"""Real stacks for the acceptance tests: containers with systemd and sshd, made by the installed program."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import forked

PROVISION = """#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
if ! [ -e /usr/sbin/nginx ]; then apt-get -q update; apt-get -q install -y --no-install-recommends nginx-light; fi
sed -i 's/worker_processes auto/worker_processes 1/' /etc/nginx/nginx.conf
systemctl restart nginx
"""


@dataclass
class Project:
    """A folder with a stack file, and our programs run in it."""

    folder: Path

    def run(self, *words: str, program: str = "infratest", timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return forked.run(words, program=program, cwd=self.folder, timeout=timeout)

    def good(self, *words: str, timeout: float = 300) -> str:
        done = self.run(*words, timeout=timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def test(self, feature: str, *words: str) -> dict[str, Any]:
        """Run the text of a feature and return the report."""
        (self.folder / "asked.feature").write_text(feature, encoding="utf-8")
        done = self.run("test", "asked.feature", "--format", "json", *words)
        try:
            report: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            pytest.fail(f"exit {done.returncode}: {done.stdout}{done.stderr}")
        assert done.returncode == report["exit"]
        return report

    def journal(self) -> list[dict[str, Any]]:
        text = (self.folder / ".infratest" / "journal.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Project]]:
    """Bring a stack up from the text of its stack file, with files beside it; all are destroyed at the end."""
    made: list[Project] = []

    def bring_up(stack: str, files: Mapping[str, bytes] | None = None) -> Project:
        project = Project(tmp_path_factory.mktemp("stack"))
        for name, content in (files or {}).items():
            (project.folder / name).write_bytes(content)
        (project.folder / "stack.yaml").write_text(stack, encoding="utf-8")
        (project.folder / "nginx.sh").write_text(PROVISION, encoding="utf-8")
        made.append(project)
        project.good("up", "--provision", "--timeout", "20min", timeout=1300)  # the first time it builds its images
        return project

    yield bring_up
    for project in made:
        project.good("destroy")


@pytest.fixture(scope="session")
def pair(new_project: Callable[[str], Project]) -> Project:
    """Two hosts: `root` is logged in to as root, `user` as deploy with sudo; both run nginx."""
    return new_project(
        """
stack: pair
provider: container
hosts:
  root: {groups: [all], memory: 256MiB, ports: [80], provision: [{shell: nginx.sh}]}
  user: {groups: [all], user: deploy, sudo: true, labels: {role: web}, provision: [{shell: nginx.sh}]}
"""
    )
