"""What `infratest doctor` says about container hosts on this machine. Called by the container provider."""

from __future__ import annotations

import sys
from pathlib import Path

from infratest.deadline import Deadline
from infratest.diagnosis import Finding, unusable
from infratest.errors import ProviderError
from infratest.images import recipe as recipes
from infratest.images.rootfs import debootstrap_missing
from infratest.providers.container.engine import Engine, find

INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")

#: A host's systemd takes about four; the kernel's 128 end at some thirty hosts.
INOTIFY_WANTED = 1024


def findings() -> list[Finding]:
    """Return what was looked at, the engine first."""
    try:
        engine = find("auto", Deadline(30))
    except ProviderError as error:
        return [unusable("provider container", error, "start the engine that is installed")]
    reached = "addresses routed" if engine.routed else "addresses not routed: ports are published on 127.0.0.1"
    found = f"{engine.kind} {engine.version} ({engine.program}); {reached}"
    return [Finding(name="provider container", usable=True, found=found), _image(engine), *_inotify()]


def _image(engine: Engine) -> Finding:
    recipe = recipes.recipe("debian-12", Path())
    tag = recipe.tag(recipe.package_sources())
    if engine.exists("image", tag, Deadline(30)):
        return Finding(name="container image", usable=True, found=f"{tag} is built")
    missing = debootstrap_missing()
    way = f"from {recipe.registry}" + ("" if missing else " or by debootstrap")
    advice = f"where {recipe.registry} cannot be pulled debootstrap is needed: {missing}" if missing else ""
    return Finding(name="container image", usable=True, found=f"{tag} will be built at first use, {way}", advice=advice)


def _inotify() -> list[Finding]:
    if sys.platform != "linux" or not INOTIFY.exists():
        return []
    limit = int(INOTIFY.read_text(encoding="ascii"))
    advice = f"sysctl -w fs.inotify.max_user_instances={2 * INOTIFY_WANTED}" if limit < INOTIFY_WANTED else ""
    found = f"{limit} inotify instances: enough for about {limit // 4} hosts"
    return [Finding(name="number of hosts", usable=True, found=found, advice=advice)]
