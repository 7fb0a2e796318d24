"""The pytest face with the extra `pytest` alone: features need no testinfra, and `host` says what it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.worlds.small_project import write
from tests.worlds.wheel import installed


def test_features_run_and_a_test_of_host_says_what_to_install(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "stack.yaml": "stack: one\nprovider: local\nhosts: {web: {}}\n",
            "features/a.feature": 'Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" exists\n',
            "test_own.py": "def test_host(host):\n    assert host\n",
        },
    )
    command = [str(installed("[pytest]") / "pytest"), "-p", "no:cacheprovider", "-rA"]
    features = subprocess.run([*command, "features"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (features.returncode, features.stderr) == (0, ""), features.stdout
    assert "1 passed" in features.stdout
    own = subprocess.run([*command, "test_own.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert own.returncode == 1
    assert "infratest[testinfra]" in own.stdout
