"""Where packages of a distribution come from, in a form that an image can take over. Called when one is built.

Reads the one-line and the deb822 form of sources.list(5); only repositories of Debian itself for the suite asked for
are taken (the suite, its updates and its security), over http or https.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.local_program import call

APT = Path("/etc/apt")

#: apt's settings that say how packages are reached, and how a clock or mirror that is off is lived with.
KEPT = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Package sources.

    Args:
        mirror: for debootstrap. lists: a sources.list; empty to keep the image's own. settings: an apt.conf.
        environment: the proxy variables debootstrap needs.
    """

    mirror: str
    lists: str = ""
    settings: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_this_machine(cls, suite: str, otherwise: str, distribution: str = "debian", lists: str = "") -> Sources:
        """Return this machine's sources for a suite; where it has none, the mirror and the lists of the recipe.

        A machine of the same distribution lends those of its own suite: a mirror of Debian holds every suite.
        """
        found = [entry for entry in entries(APT) if "main" in entry[2]]
        ours = [(address, name) for address, name, _ in found if name in _suites(suite)]
        if not ours and _os_release("ID") == distribution:
            own = _os_release("VERSION_CODENAME")
            ours = [(at, suite + name.removeprefix(own)) for at, name, _ in found if own and name in _suites(own)]
        mirrors = [address for address, name in ours if name == suite]
        if not mirrors:
            return cls(mirror=otherwise, lists=lists, settings=_settings(), environment=_proxies())
        lists = "".join(f"deb {address} {name} main\n" for address, name in dict.fromkeys(ours))
        return cls(mirror=mirrors[0], lists=lists, settings=_settings(), environment=_proxies())


def _os_release(key: str) -> str:
    """Return what this machine's os-release says of itself, in lower case; empty where it says nothing."""
    try:
        return platform.freedesktop_os_release().get(key, "").lower()
    except OSError:
        return ""


def entries(folder: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield address, suite and components of every binary repository in an apt folder; what is not readable is left."""
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if path.suffix == ".sources":
            yield from _deb822(text)
        elif path.suffix == ".list":
            yield from _one_line(text)


def _one_line(text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        words = words[1:]
        while words and words[0].startswith("["):  # [option=value option=value]
            while words and not words.pop(0).endswith("]"):
                pass
        if len(words) >= 2 and words[0].startswith(("http://", "https://")):
            yield words[0], words[1], tuple(words[2:])


def _deb822(text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for stanza in _stanzas(text):
        if "deb" not in stanza.get("types", "").split() or stanza.get("enabled", "yes").lower() in ("no", "false"):
            continue
        for address in stanza.get("uris", "").split():
            for suite in stanza.get("suites", "").split():
                if address.startswith(("http://", "https://")):
                    yield address, suite, tuple(stanza.get("components", "").split())


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    last = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line[0] in " \t":
            fields[last] = f"{fields.get(last, '')} {line.strip()}"
        else:
            name, _, value = line.partition(":")
            last = name.strip().lower()
            fields[last] = value.strip()


def _suites(suite: str) -> tuple[str, ...]:
    return (suite, f"{suite}-updates", f"{suite}-security")


def _settings() -> str:
    """The settings that are KEPT, as lines of an apt.conf; without proxies on this machine's own loopback."""
    program = shutil.which("apt-config")
    lines = []
    if program:
        status, out, err = call([program, "dump", "--format", '%F "%v";%n'], Deadline(20))
        if status != 0:
            raise ProviderError(f"{program} dump failed: {err.strip()}")
        lines = [line for line in out.splitlines() if line.split(" ", 1)[0].startswith(KEPT) and '""' not in line]
    if not any("::Proxy" in line for line in lines):
        lines += [f'Acquire::http::Proxy "{value}";' for key, value in _proxies().items() if key == "http_proxy"]
    return "".join(f"{line}\n" for line in lines if "//127." not in line and "//localhost" not in line)


def _proxies() -> dict[str, str]:
    return {key: os.environ[key] for key in ("http_proxy", "https_proxy", "no_proxy") if os.environ.get(key)}
