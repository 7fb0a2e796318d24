"""Virtual environments for servers that tests need and that must not stand beside infratest: made once, by content."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infratest.images.cache import cache_folder

#: Seconds that an installation may take on a slow network.
LONG = 1200


def python_with(name: str, requirements: Sequence[str]) -> Path:
    """Return the Python of an environment that holds these packages, made in the cache folder where it is not there.

    Args:
        name: of the folder, for people. requirements: as pip takes them; the environment of others is another one.
    """
    wanted = "\n".join([platform.python_version(), *requirements])
    place = cache_folder() / "test-venv" / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    done, python = place / "complete", place / "bin" / "python"
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            began = time.monotonic()
            shutil.rmtree(place, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(place))
            _run(str(python), "-m", "pip", "install", *requirements)
            done.write_text(wanted)
            print(f"{name}: its environment was made in {time.monotonic() - began:.0f} s: {place}", file=sys.stderr)
    return python


def _run(*words: str) -> None:
    options = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    options["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    done = subprocess.run(words, capture_output=True, text=True, env=options, timeout=LONG)
    assert done.returncode == 0, f"{' '.join(words)}: {(done.stderr or done.stdout)[-1500:]}"
