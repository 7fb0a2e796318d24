"""Real Nagios, Icinga, Prometheus on the loopback, each from a folder of its own; and what each says of itself.

They read what our exports write. `objects` is what a tool has understood: the independent reader of a format.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from infratest.exports.icinga2 import MAIN as ICINGA_MAIN
from infratest.exports.nagios import MAIN, SOMEBODY
from infratest.testing.waiting import wait_until
from tests.worlds.tls_servers import WITH_US, free_port, free_ports, listens
from tests.worlds.x509_files import issued

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


def program_of(name: str) -> str:
    """Return the path of a program; that it is missing is a failure."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is not installed; `run` says by which package it comes"
    return found


def owner() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def nagios_folder(folder: Path, files: Mapping[str, str], length: float = 60, more: str = "") -> Path:
    """Lay out a Nagios with these files, and return its main configuration."""
    for name in ("spool", "rw", "conf"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in {**files, "contact.cfg": SOMEBODY}.items():
        (folder / "conf" / name).write_text(text, encoding="utf-8")
    main = folder / "nagios.cfg"
    read = f"cfg_dir={folder}/conf\n"
    main.write_text(
        MAIN.format(folder=folder, user=owner(), group=owner(), read=read) + QUICK.format(length=length) + more
    )
    return main


def nagios_objects(folder: Path, files: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return kind and attributes of each object that Nagios reads in these files, as it writes them down itself."""
    main = nagios_folder(folder, files)
    program = program_of("nagios4")
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
    with daemon(folder, [program_of("nagios4"), str(main)]) as process:
        pipe = folder / "rw" / "nagios.cmd"
        assert wait_until(lambda: process.poll() is not None or _is_read(pipe), LONG)
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield Nagios(folder)


def _is_read(pipe: Path) -> bool:
    """Return whether somebody reads a pipe; it is there for a moment before its reader is."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def icinga_words(folder: Path, files: Mapping[str, str], main: str = ICINGA_MAIN) -> list[str]:
    """Lay out an Icinga with these files, and return the words behind `icinga2 daemon`."""
    for name in ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir", "conf"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "conf" / name).write_text(text, encoding="utf-8")
    (folder / "icinga2.main").write_text(main.replace('"*.conf"', f'"{folder}/conf/*.conf"'))
    return _icinga_options(folder)


def _icinga_options(folder: Path) -> list[str]:
    names = ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir")
    return ["-c", str(folder / "icinga2.main"), *(word for name in names for word in ("-D", f"{name}={folder / name}"))]


def icinga_environment() -> dict[str, str]:
    return {**os.environ, "ICINGA2_USER": owner(), "ICINGA2_GROUP": owner()}


def icinga_objects(folder: Path, files: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and properties of each object that Icinga reads in these files, as it writes them down itself."""
    words = [program_of("icinga2"), "daemon", "-C", *icinga_words(folder, files)]
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
    program = program_of("icinga2")
    with daemon(folder, [program, "daemon", *words], icinga_environment()) as process:
        up = folder / "InitRunDir" / "icinga2.pid"
        assert wait_until(lambda: process.poll() is not None or up.exists(), LONG)
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield folder


ICINGA_API = """object ApiListener "api" {{
  bind_host = "127.0.0.1"
  bind_port = {port}
}}
object ApiUser "root" {{
  password = "{password}"
  permissions = [ "*" ]
}}
"""


@dataclass(frozen=True)
class IcingaApi:
    """A running Icinga with its API, and what a client of it needs."""

    folder: Path
    port: int

    @property
    def options(self) -> list[str]:
        """What `infratest monitor up icinga2` is told of it."""
        check = shlex.join(
            ["env", f"ICINGA2_USER={owner()}", f"ICINGA2_GROUP={owner()}", program_of("icinga2"), "daemon", "-C",
             *_icinga_options(self.folder)]
        )  # fmt: skip
        given = {
            "api": f"https://127.0.0.1:{self.port}", "ca": f"{self.folder}/ca.crt", "known-as": "localhost",
            "password-file": f"{self.folder}/password", "verify": check,
        }  # fmt: skip
        return [word for name, value in given.items() for word in ("-o", f"{name}={value}")]

    @property
    def conf(self) -> Path:
        return self.folder / "conf"


@contextmanager
def icinga_with_api(folder: Path, files: Mapping[str, str]) -> Iterator[IcingaApi]:
    """Have an Icinga with these files, that can be asked, until the block ends."""
    port, password = free_port(), "open-sesame-icinga"
    root = issued("Tests root", authority=True)
    leaf = issued("localhost", root, names=("localhost",))
    certs = folder / "DataDir" / "certs"
    certs.mkdir(parents=True)
    (certs / "ca.crt").write_bytes(root.pem)
    (certs / "localhost.crt").write_bytes(leaf.pem)
    (certs / "localhost.key").write_bytes(leaf.key_pem())
    (folder / "ca.crt").write_bytes(root.pem)
    (folder / "password").write_text(f"{password}\n")
    with icinga(folder, files, ICINGA_MAIN + ICINGA_API.format(port=port, password=password)):
        assert wait_until(lambda: listens(port), LONG)
        yield IcingaApi(folder, port)


@contextmanager
def prometheus(folder: Path) -> Iterator[tuple[str, Path]]:
    """Have a Prometheus that scrapes a node exporter's textfile collector each second: its URL, and its folder.

    It reads rules in `rules`, and the exporter metrics in `metrics`.
    """
    for name in ("rules", "metrics", "data", "exporter"):
        (folder / name).mkdir(parents=True)
    scraped, port = free_ports(2)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{folder}/rules/*.rules.yml']\n"
        f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]}}]\n"
    )
    exporter = [
        program_of("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile",
        f"--collector.textfile.directory={folder}/metrics", f"--web.listen-address=127.0.0.1:{scraped}",
    ]  # fmt: skip
    words = [
        program_of("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-lifecycle",
    ]  # fmt: skip
    with daemon(folder / "exporter", exporter), daemon(folder, words):
        assert wait_until(lambda: listens(port) and listens(scraped), LONG)
        yield f"http://127.0.0.1:{port}", folder


@contextmanager
def daemon(
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
