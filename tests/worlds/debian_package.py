"""Debian packages that are unpacked and not installed, kept in the cache."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def unpacked(name: str) -> Path:
    """Return a folder with the files of a package, which is fetched where it is not kept yet."""
    cache = Path(os.environ.get("INFRATEST_CACHE") or Path.home() / ".cache/infratest") / "packages-of-tests"
    folder = cache / name
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        words = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name]
        done = subprocess.run(words, cwd=cache, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name} could not be fetched: {done.stdout}{done.stderr}"
        made = cache / f"{name}.{os.getpid()}"
        subprocess.run(["dpkg-deb", "-x", sorted(cache.glob(f"{name}_*.deb"))[-1], made], check=True)
        try:
            made.rename(folder)
        except OSError:
            assert folder.exists()  # another test run was quicker
    return folder
