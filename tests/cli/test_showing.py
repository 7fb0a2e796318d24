"""The progress display on a real terminal: a pseudo-terminal that a process of its own draws on."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

DRAWS = """
import logging
from infratest.cli._showing import Progress
from infratest.cli.session import StderrHandler

logging.basicConfig(format="%(message)s", handlers=[StderrHandler()])
with Progress() as progress:
    progress.told("net", "made", "network")
    progress.told("web", "making", "host")
    input()
    logging.getLogger("image").warning("an image is built, which takes a while")
    progress.told("web", "ready", "")
"""
SECONDS = 30.0


@contextmanager
def drawing(code: str = DRAWS) -> Iterator[tuple[Callable[[Callable[[str], bool]], str], Callable[[], str]]]:
    """Yield how to wait until what was drawn is as wanted, and how to let the drawing end; both return all of it."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        seen = ""

        def until(wanted: Callable[[str], bool]) -> str:
            nonlocal seen
            end = time.monotonic() + SECONDS
            while not wanted(seen) and time.monotonic() < end:
                seen += os.read(ours, 4096).decode()
            return seen

        def ended() -> str:
            nonlocal seen
            process.communicate(b"\n", SECONDS)
            with suppress(OSError):  # EIO is how Linux tells that nobody holds the other side any more
                while data := os.read(ours, 4096):
                    seen += data.decode()
            return seen

        yield until, ended
    os.close(ours)


def plain(drawn: str) -> str:
    """Return what was drawn without its codes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)


def clocks(drawn: str, host: str) -> list[str]:
    """Return the times that were drawn in a host's line, in order."""
    return re.findall(rf"{host} [^\n]*?([0-9.]+ s)", plain(drawn))


def test_the_clock_of_what_is_in_hand_goes_on() -> None:
    with drawing() as (until, ended):
        drawn = until(lambda seen: len(set(clocks(seen, "web"))) >= 3)
        assert len(set(clocks(drawn, "web"))) >= 3
        drawn = ended()
    assert len(set(clocks(drawn, "net"))) == 1  # what has ended has its time
    assert re.search(r"web\s.*ready", drawn)


def test_a_message_stands_above_the_display_and_not_in_it() -> None:
    with drawing() as (until, ended):
        until(lambda seen: "making" in seen)
        drawn = ended()
    # The display is taken away before the message, and drawn again below it.
    assert re.search(r"\x1b\[2Kan image is built, which takes a while\r?\n", drawn), repr(drawn)
    assert drawn.count("an image is built") == 1


OUTPUT = """
from infratest.cli._showing import Progress

with Progress(whole=WHOLE) as progress:
    progress.told("web", "running", "p.sh")
    progress.told("web", "output", "line one")
    progress.told("web", "output", "line two")
    input()
"""


@pytest.mark.parametrize("whole", [False, True])
def test_a_programs_output_is_folded_into_its_hosts_line_or_shown_whole(whole: bool) -> None:
    with drawing(OUTPUT.replace("WHOLE", str(whole))) as (until, ended):
        drawn = until(lambda seen: re.search(r"web +running +line two", plain(seen)) is not None)
        assert re.search(r"web +running +line two", plain(drawn))  # still the phase that it was in
        drawn = plain(ended())
    assert re.findall(r"web \| line \w+", drawn) == (["web | line one", "web | line two"] if whole else [])


def test_elsewhere_each_line_of_output_is_shown() -> None:
    words = [sys.executable, "-c", OUTPUT.replace("WHOLE", "False")]
    done = subprocess.run(words, input="\n", capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["web: running (p.sh)", "web | line one", "web | line two"]


def test_elsewhere_each_phase_is_a_line() -> None:
    done = subprocess.run([sys.executable, "-c", DRAWS], input="\n", capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        "net: made (network)",
        "web: making (host)",
        "an image is built, which takes a while",
        "web: ready",
    ]
    assert done.stdout == ""
