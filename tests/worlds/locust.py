"""The real Locust, from PyPI, in a virtual environment of its own that is made once and kept.

It brings a plugin for pytest, whose `--host` is ours too: it must not stand beside infratest.
"""

from __future__ import annotations

from pathlib import Path

from tests.worlds.venvs import python_with

REQUIREMENTS = ("locust>=2.47,<3",)


def programs() -> Path:
    """Return the folder of Locust's program."""
    return python_with("locust", REQUIREMENTS).parent


if __name__ == "__main__":  # for `./run`, so that no test pays for the installation
    programs()
