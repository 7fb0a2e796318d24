"""A program in the place of `check_infratest` that keeps the words which a real tool starts it with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PROGRAM = """#!/usr/bin/env python3
import json, os, sys, tempfile
from pathlib import Path
here = Path(__file__).parent
with tempfile.NamedTemporaryFile("w", dir=here, prefix="part.", delete=False) as file:
    json.dump(sys.argv[1:], file)
os.rename(file.name, file.name.replace("part.", "seen."))
state = here / "state"
print("said")
sys.exit(int(state.read_text()) if state.exists() else 0)
"""


@dataclass(frozen=True)
class Keeping:
    """The program; its path has a blank in it."""

    path: Path

    @classmethod
    def made(cls, folder: Path) -> Keeping:
        """Write it into a folder of its own."""
        folder.mkdir()
        (folder / "keeps it").write_text(PROGRAM)
        (folder / "keeps it").chmod(0o755)
        return cls(folder / "keeps it")

    def answers(self, status: int) -> None:
        """Have it end with another status."""
        part = self.path.with_name("state.part")
        part.write_text(str(status))
        part.replace(self.path.with_name("state"))

    @property
    def seen(self) -> list[list[str]]:
        """The words of each call so far."""
        return [json.loads(path.read_text()) for path in self.path.parent.glob("seen.*")]
