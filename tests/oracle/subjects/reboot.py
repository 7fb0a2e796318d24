"""A reboot that packages ask for, by the file that Debian's leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import Question, both


def objects(place: Path) -> Path:
    """Leave the file, as update-notifier's notify-reboot-required does."""
    Path("/run/reboot-required").write_text("*** System restart required ***\n")
    Path("/run/reboot-required.pkgs").write_text("linux-base\n")
    return place


def questions(place: Path) -> Iterator[Question]:
    """Ask whether a reboot is needed."""
    yield from both("the host needs a reboot", "the host needs no reboot", True, "asked for")
