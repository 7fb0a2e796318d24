"""A host that is broken: a real container with systemd, its shop, and what shows to anybody whether that works.

It is made by `infratest up` and `provision` from a stack file, a project for each contestant; broken by the engine,
past everything that is measured.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import environment
from benchmarks.drills.faults import CERTIFICATE, CUT, FAULTS, PAGE, PAUSE, STOP, Fault
from benchmarks.measure import clean_environment
from benchmarks.problem import BenchError

NAME = "shop"
SOURCES = Path(__file__).with_name("shop")
#: Seconds between two looks whether the shop works, and that one look may take.
LOOK, LONGEST = 0.1, 2.0
#: Seconds that what is broken may take to show, and what is mended.
SHOWS = 60.0
STACK = """\
stack: {stack}
provider: container
defaults: {{image: debian-12, memory: 256MiB}}
hosts:
  shop:
    groups: [web]
    transport: {way}
    provision:
{files}\
      - shell: packages.sh
      - file: {{from: site.conf, to: /etc/nginx/sites-available/default, mode: "0644"}}
      - shell: shop.sh
heal:
  defaults: {{confirm: 2, at-most: 100%, budget: {{tries: 100, per: 6 min}}}}
  restart-nginx: {{do: [{{restart-service: nginx}}, {{provision: {{}}}}], mode: auto}}
  put-back: {{do: [{{provision: {{}}}}], mode: auto}}
  free-port: {{do: [{{run: "sh /usr/local/lib/drill/strangers; systemctl restart nginx"}}], mode: auto}}
  clear-cache: {{do: [{{clear-space: {{below: [/srv/shop/cache], older-than: 1 day}}}}], mode: auto}}
  renew:
    do:
      - renew-certificate:
          command: sh /usr/local/lib/drill/certify
          certificate: /etc/shop/shop.pem
          reload: nginx
    mode: auto
  power: {{when: {{tags: "@reachable"}}, do: [{{power-cycle: {{}}}}], mode: auto}}
"""
DRILL = """\
  @drill:{rule} @id:drill-{name}
  Scenario: {title}
    When {sentence} on "shop"
    Then the scenario "{scenario}" is critical on "shop" within 60 s
    And the rule "{rule}" heals "shop" by "{remedy}" within 120 s
"""


@dataclass
class Host:
    """The host of one project. Args: folder: of the project. way: the transport that infratest reaches it by."""

    folder: Path
    way: str
    packages: str = ""
    container: str = field(default="", init=False)
    address: str = field(default="", init=False)

    @property
    def stack(self) -> str:
        return f"drill-{self.folder.name}"

    def infratest(self, *words: str, face: str = "infratest") -> subprocess.CompletedProcess[str]:
        """Run infratest, by one of its programs, on the project, as whoever installs our wheel has it."""
        program = str(environment.ours("demo") / face)
        kept = clean_environment() | engine()
        return subprocess.run(
            [program, *words], cwd=self.folder, env=kept, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip

    def must(self, *words: str) -> str:
        """Run infratest; return what it printed. Raises BenchError: it failed."""
        done = self.infratest(*words)
        if done.returncode:
            raise BenchError(f"{self.stack}: infratest {' '.join(words)} ended with {done.returncode}: "
                             f"{(done.stdout + done.stderr)[-1500:]}")  # fmt: skip
        return done.stdout

    def make(self) -> None:
        """Write the project, bring the host up, provision it, and see that the shop works."""
        self._write()
        self.must("up")
        self.must("provision")
        self.find()
        self.until(PAGE, True, "once it was made")

    def find(self) -> None:
        """Ask the engine which container it is now, and at which address."""
        found = self.containers()
        if len(found) != 1:
            raise BenchError(f"{self.stack}: {len(found)} machines where there must be one: {found}")
        self.container = found[0]
        about = json.loads(docker("inspect", self.container))[0]
        networks = about["NetworkSettings"]["Networks"].values()
        self.address = next((one["IPAddress"] for one in networks if one["IPAddress"]), self.address)

    def containers(self) -> list[str]:
        """Return every machine that there is of this host, whatever its state."""
        listed = docker("ps", "-a", "--filter", f"label=infratest.stack={self.stack}", "--format", "{{.Names}}")
        return listed.split()

    def _write(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "features").mkdir(parents=True)
        on_host = {"certify": "certify.sh", "strangers": "strangers.sh", "packages": "packages.sh"}
        for source in SOURCES.iterdir():
            text = source.read_text().replace("@packages@", self.packages)
            place = self.folder / "features" if source.suffix == ".feature" else self.folder
            (place / source.name).write_text(text)
        drills = ["Feature: Drills of the shop\n"]
        for fault in FAULTS.values():
            if not fault.host:
                (self.folder / f"{fault.name}.fault").write_text(f"set -e\n{fault.shell}\n")
                on_host[fault.name] = f"{fault.name}.fault"
                drills.append(DRILL.format(**vars(fault), sentence=fault.sentence))
        (self.folder / "features" / "drill.feature").write_text("".join(drills))
        files = "".join(
            f'      - file: {{from: {name}, to: /usr/local/lib/drill/{word}, mode: "0755"}}\n'
            for word, name in on_host.items()
        )
        (self.folder / "stack.yaml").write_text(STACK.format(stack=self.stack, way=self.way, files=files))

    def run(self, shell: str) -> str:
        """Run a text by the host's shell, as root; return what it printed. Raises BenchError: it failed."""
        return docker("exec", self.container, "sh", "-c", shell)

    def fault(self, fault: Fault) -> None:
        """Break it."""
        if fault.host == STOP:
            docker("stop", self.container)
        elif fault.host == PAUSE:
            docker("pause", self.container)
        elif fault.host == CUT:
            chain = "add chain inet drill {} {{ type filter hook {} priority -300; policy drop; }}"
            rules = "\n".join(["add table inet drill", *(chain.format(one, one) for one in ("input", "output"))])
            self.run(f"nft -f - <<'END'\n{rules}\nEND")
        else:
            self.run(f"sh /usr/local/lib/drill/{fault.name}")

    def mend(self, fault: Fault) -> None:
        """Take a fault away that nobody has healed."""
        if fault.host:
            for words in (("unpause", self.container), ("restart", self.container)):
                with contextlib.suppress(BenchError):
                    docker(*words)
            self.find()
        else:
            self.run(f"{fault.mend}\ntrue")
        self.until(fault.shown, True, f"after {fault.title} was taken away")

    def works(self, what: str) -> bool:
        """Look once whether the shop works."""
        if what == PAGE:
            return self._answers()
        return self._certified() if what == CERTIFICATE else self._has_room()

    def until(self, what: str, wanted: bool, when: str, patience: float = SHOWS) -> None:
        """Return once it works, or does no longer. Raises BenchError: that never came."""
        end = time.monotonic() + patience
        while self.works(what) is not wanted:
            if time.monotonic() > end:
                raise BenchError(f"{self.stack}: the {what} {'does not work' if wanted else 'works still'} {when}")
            time.sleep(LOOK)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/", timeout=LONGEST) as answer:
                return b"the shop" in answer.read(1000)
        except (OSError, ValueError, EOFError):
            return False
        except Exception as error:  # http.client's own: what is no HTTP is no shop
            if type(error).__module__ == "http.client":
                return False
            raise

    def _certified(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection((self.address, 443), LONGEST) as plain, context.wrap_socket(plain) as secure:
                found = secure.getpeercert(binary_form=True)
        except OSError:
            return False
        return found is not None and _ends(found) > time.time() + 14 * 86400

    def _has_room(self) -> bool:
        try:
            return int(self.run("df --output=pcent /srv/shop | tail -n 1").strip().rstrip("%")) < 90
        except (BenchError, ValueError):
            return False

    def destroy(self) -> None:
        self.infratest("destroy")


@functools.lru_cache(maxsize=64)
def _ends(der: bytes) -> float:
    """Return when a certificate ends, in seconds since the epoch."""
    pem = ssl.DER_cert_to_PEM_cert(der)
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate"], input=pem, capture_output=True, text=True, check=True
    )
    words = done.stdout.strip().partition("=")[2]
    return datetime.datetime.strptime(words, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=datetime.UTC).timestamp()


@contextlib.contextmanager
def hosts(folder: Path, wanted: Sequence[tuple[str, str, str]]) -> Iterator[dict[str, Host]]:
    """Make a host for each name, way and packages; remove them all with the block."""
    made = {name: Host(folder / name, way, packages) for name, way, packages in wanted}
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Host.make, made.values()))
        yield made
    finally:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Host.destroy, made.values()))


def engine() -> dict[str, str]:
    """Return what tells programs where the container engine is."""

    return {name: os.environ[name] for name in ("DOCKER_HOST", "INFRATEST_CACHE") if name in os.environ}


def docker(*words: str) -> str:
    """Run the engine's client. Raises BenchError: it failed."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise BenchError(f"docker {' '.join(words)[:300]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout
