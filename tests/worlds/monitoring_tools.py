"""Real Nagios, Icinga, Prometheus on the loopback, each from a folder of its own; and what each says of itself.

They read what our exports write. `objects` is what a tool has understood: the independent reader of a format.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from infratest.exports._checker import found, owner
from infratest.exports.icinga2 import MAIN as ICINGA_MAIN
from infratest.exports.nagios import MAIN, SOMEBODY
from infratest.testing.waiting import wait_until
from tests.worlds.tls_servers import WITH_US

LONG = 120.0
#: For tests: an interval is in seconds, everything at once, and what is seen is written down every second.
QUICK = """interval_length={length}
check_external_commands=1
check_result_reaper_frequency=1
status_update_interval=1
service_inter_check_delay_method=n
host_inter_check_delay_method=n
max_service_check_spread=1
max_host_check_spread=1
retain_state_information=0
execute_service_checks=1
enable_event_handlers=1
log_event_handlers=1
log_service_retries=1
enable_flap_detection=0
cached_host_check_horizon=0
soft_state_dependencies=0
"""


def nagios_folder(folder: Path, files: Mapping[str, str], length: float = 60, more: str = "") -> Path:
    """Lay out a Nagios with these files, and return its main configuration."""
    for name in ("spool", "rw", "conf"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in {**files, "contact.cfg": SOMEBODY}.items():
        (folder / "conf" / name).write_text(text, encoding="utf-8")
    main = folder / "nagios.cfg"
    read = f"cfg_dir={folder}/conf\n"
    main.write_text(MAIN.format(folder=folder, user=owner(), read=read) + QUICK.format(length=length) + more)
    return main


def nagios_objects(folder: Path, files: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return kind and attributes of each object that Nagios reads in these files, as it writes them down itself."""
    main = nagios_folder(folder, files)
    program = found("nagios4", package="nagios4-core")
    done = subprocess.run([program, "-vp", str(main)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return blocks((folder / "objects.precache").read_text(encoding="utf-8"))


def blocks(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return the blocks of objects.cache, whose lines are a name, a tab and a value."""
    made: list[tuple[str, dict[str, str]]] = []
    for line in text.split("\n"):
        if match := re.fullmatch(r"define (\w+) \{", line):
            made.append((match[1], {}))
        elif line.startswith("\t") and line != "\t}":
            name, _, value = line[1:].partition("\t")
            made[-1][1][name] = value
    return made


@dataclass(frozen=True)
class Nagios:
    """A running one."""

    folder: Path

    @property
    def main(self) -> Path:
        return self.folder / "nagios.cfg"

    def command(self, *words: str) -> None:
        """Write an external command."""
        with (self.folder / "rw" / "nagios.cmd").open("w") as pipe:
            pipe.write(f"[{int(time())}] {';'.join(words)}\n")

    def service(self, host: str, name: str) -> dict[str, str]:
        """Return what it says of a service in its status file."""
        for kind, about in status(self.folder / "status.dat"):
            if kind == "servicestatus" and (about["host_name"], about["service_description"]) == (host, name):
                return about
        return {}

    @property
    def log(self) -> str:
        return (self.folder / "nagios.log").read_text(encoding="utf-8", errors="replace")


def status(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Return the blocks of a status file; none where it is not there yet."""
    made: list[tuple[str, dict[str, str]]] = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return made
    for line in text.split("\n"):
        if line.endswith(" {"):
            made.append((line[:-2], {}))
        elif "=" in line and made:
            name, _, value = line.strip().partition("=")
            made[-1][1][name] = value
    return made


@contextmanager
def nagios(folder: Path, files: Mapping[str, str], length: float = 60, more: str = "") -> Iterator[Nagios]:
    """Have a Nagios with these files until the block ends."""
    main = nagios_folder(folder, files, length, more)
    with _daemon(folder, [found("nagios4", package="nagios4-core"), str(main)]) as process:
        pipe = folder / "rw" / "nagios.cmd"
        assert wait_until(lambda: process.poll() is not None or pipe.exists(), LONG)
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield Nagios(folder)


def icinga_words(folder: Path, files: Mapping[str, str], main: str = ICINGA_MAIN) -> list[str]:
    """Lay out an Icinga with these files, and return the words behind `icinga2 daemon`."""
    for name in ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir", "conf"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "conf" / name).write_text(text, encoding="utf-8")
    (folder / "icinga2.main").write_text(main.replace('"*.conf"', f'"{folder}/conf/*.conf"'))
    names = ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir")
    return ["-c", str(folder / "icinga2.main"), *(word for name in names for word in ("-D", f"{name}={folder / name}"))]


def icinga_environment() -> dict[str, str]:
    return {**os.environ, "ICINGA2_USER": owner(), "ICINGA2_GROUP": owner()}


def icinga_objects(folder: Path, files: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and properties of each object that Icinga reads in these files, as it writes them down itself."""
    words = [found("icinga2", package="icinga2-bin"), "daemon", "-C", *icinga_words(folder, files)]
    done = subprocess.run(words, env=icinga_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    data = (folder / "CacheDir" / "icinga2.debug").read_bytes()
    made = []
    while data:  # netstrings: the length, a colon, JSON, a comma
        length, _, data = data.partition(b":")
        about = json.loads(data[: int(length)])
        made.append((about["type"], about["properties"]))
        data = data[int(length) + 1 :]
    return made


@contextmanager
def icinga(folder: Path, files: Mapping[str, str], main: str = ICINGA_MAIN) -> Iterator[Path]:
    """Have an Icinga with these files until the block ends; its folder."""
    words = icinga_words(folder, files, main + 'object CheckerComponent "checker" { }\n')
    program = found("icinga2", package="icinga2-bin")
    with _daemon(folder, [program, "daemon", *words], icinga_environment()) as process:
        up = folder / "InitRunDir" / "icinga2.pid"
        assert wait_until(lambda: process.poll() is not None or up.exists(), LONG)
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield folder


@contextmanager
def _daemon(
    folder: Path, words: list[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Have a program until the block ends, with all that it has started; what it says is in `out`."""
    with (folder / "out").open("wb") as out, subprocess.Popen(
        [*WITH_US, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd="/",
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
            try:
                os.killpg(process.pid, signal.SIGKILL)  # its workers
            except ProcessLookupError:
                pass
