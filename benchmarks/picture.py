"""One picture of how cost grows: over round-trip time with one host, and over hosts; ours and the peers'."""

from __future__ import annotations

from pathlib import Path

from benchmarks import environment

PROGRAM = Path(__file__).parent / "probes" / "draw.py"


def draw(results: Path, picture: Path) -> None:
    """Draw the picture from the results file."""
    environment.ran(str(environment.others() / "python"), str(PROGRAM), str(results), str(picture))
