"""`infratest box rm` of a name that nobody has, where many images are kept."""

from __future__ import annotations

import json
from pathlib import Path

from tests.worlds.small_project import run


def test_of_many_names_the_nearest_are_shown_and_how_many_there_are(tmp_path: Path) -> None:
    for number in range(10, 30):
        disk = tmp_path / "disks" / f"debian-{number}-aaaa"
        disk.mkdir(parents=True)
        (disk / "about.json").write_text(json.dumps({"name": f"debian-{number}", "made": 1.0, "source": "a test"}))
    words = ("box", "rm", "--for", "qemu")
    done = run(tmp_path, "infratest", *words, "debain-21", INFRATEST_CACHE=str(tmp_path))
    assert done.returncode == 2
    start = "infratest: unknown image 'debain-21': of 20 names that are kept the nearest are debian-21, "
    assert done.stderr.startswith(start), done.stderr
    assert done.stderr.endswith("; `infratest box list` shows all\n")
    assert done.stderr.count("debian-") == 5
