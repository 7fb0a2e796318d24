"""What `infratest doctor` says about clouds: whether libcloud is here, and what each driver can."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from infratest.diagnosis import Finding
from infratest.providers.cloud import drivers
from infratest.providers.cloud.drivers.base import CAN

LIBRARY = "apache-libcloud"


def findings() -> list[Finding]:
    """Return what was looked at, the library first; asks no cloud."""
    try:
        found = f"{LIBRARY} {version(LIBRARY)}"
    except PackageNotFoundError:
        return [Finding(name="provider cloud", usable=False, found=f"{LIBRARY} is not installed",
                        advice="pip install 'infratest[cloud]'")]  # fmt: skip
    making, listing = drivers.others()
    return [
        Finding(name="provider cloud", usable=True, found=found),
        *map(_driver, [*drivers.names(), *making]),
        Finding(name="other cloud drivers", usable=True,
                found=f"servers can be listed, not made, since they cannot carry labels: {', '.join(listing)}"),
    ]  # fmt: skip


def _driver(name: str) -> Finding:
    kind = drivers.kind_of(name)
    able = [words for key, words in CAN.items() if key in kind.can]
    unable = [words for key, words in CAN.items() if key not in kind.can]
    words = ", ".join(able) + (f"; not: {', '.join(unable)}" if unable else "")
    return Finding(name=f"cloud driver {name}", usable=True, found=words)
