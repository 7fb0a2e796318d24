"""(i) The plugin program on this machine: 1 check and 100 checks, whole process, CPU.

`check_infratest` as installed from the wheel, in turns with the bare interpreter and the peers. Each runs as root in an
empty home, its bytecode and caches warm, as in the second minute of a monitor.
"""

from __future__ import annotations

import contextlib
import http.server
import re
import shutil
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import environment, mix
from benchmarks.figures import Must, Outcome, figure
from benchmarks.measure import BARE, Contestant, Usage, bare, in_turns, median
from benchmarks.problem import BenchError

TITLE = "(i) The plugin program on this machine"
OURS, TESTINFRA = "check_infratest", "testinfra --nagios"
BESIDE_BDD = f"{TESTINFRA}, pytest-bdd beside it"
OF_A_STACK = f"{OURS}, of a stack"
STACK = "stack: bench\nprovider: local\nhosts: {here: {}}\n"
ROUNDS = 15
PLUGINS = Path("/usr/lib/nagios/plugins")


def run(rounds: int = 0) -> Outcome:
    """Measure the plugin program."""
    outcome = Outcome()
    folder = environment.cache() / "plugin"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    outcome.notes.append(
        f"`{OF_A_STACK}`: with a stack file, so that results, events and counts are on disk before it ends. "
        f"`{BESIDE_BDD}`: pytest loads every plugin of its environment, whether a test uses it or not."
    )
    outcome.notes.append(
        "The checks: 20 files exist, 12 modes, 10 contents, 20 packages, 8 processes, 8 listening ports, 10 users, "
        "4 mounts, 8 groups; in the feature 5 sentences a scenario. No systemd units: none runs on this machine."
    )
    with mix.background() as ports:
        hundred = mix.checks(mix.COUNTS, ports)
        for setting, found in (("1 check", hundred[:1]), ("100 checks", hundred)):
            contestants = _contestants(folder / setting.replace(" ", "-"), found, outcome)
            usages = in_turns(contestants, rounds or ROUNDS)
            for name, runs in usages.items():
                ratio = median([each.cpu for each in runs]) / median([each.cpu for each in usages[BARE]])
                outcome.figures.append(figure(setting, name, runs, **{f"x_{BARE}": ratio}))
            outcome.musts += _musts(setting, usages)
    _endpoints(folder, outcome, rounds or ROUNDS)
    return outcome


def _musts(setting: str, usages: dict[str, list[Usage]]) -> list[Must]:
    cpu = {name: median([each.cpu for each in runs]) for name, runs in usages.items()}
    limit, aim, times = (2.5, 1.8, 15) if setting == "1 check" else (4.0, 2.7, 25)
    musts = [
        Must(what=f"{setting}{more}, CPU against `{BARE}`", got=round(cpu[name] / cpu[BARE], 2), limit=limit, aim=aim,
             unit="x")
        for name, more in ((OURS, ""), (OF_A_STACK, " of a stack"))
    ]  # fmt: skip
    for peer in (TESTINFRA, BESIDE_BDD):
        what = f"{setting}, CPU against {peer}"
        musts.append(Must(what=what, got=round(cpu[peer] / cpu[OURS], 1), limit=times, unit="x less", least=True))
    return musts


def _contestants(folder: Path, found: list[mix.Check], outcome: Outcome) -> list[Contestant]:
    folder.mkdir()
    count = len(found)
    ours, testinfra, home = environment.ours(), environment.testinfra(), mix.user_home()
    bdd = environment.testinfra_bdd()
    (folder / "mix.feature").write_text(mix.feature(found))
    (folder / "single.feature").write_text(mix.feature(found, 1))
    (folder / "test_mix.py").write_text(mix.testinfra(found))
    (folder / "stack").mkdir()
    (folder / "stack" / "stack.yaml").write_text(STACK)
    (folder / "stack" / "mix.feature").write_text(mix.feature(found))
    slow = 3 if count > 1 else 5

    def one(name: str, command: list[object], said: str, rounds: int = 0, cwd: Path = folder) -> Contestant:
        words = [str(word) for word in command]
        return Contestant(name=name, command=words, cwd=cwd, environment=home, rounds=rounds, check=says(name, said))

    contestants = [
        one(BARE, [ours / "python", "-I", "-S", "-c", "pass"], ""),
        one(OURS, [ours / "check_infratest", "--host", "local", "mix.feature"], "INFRATEST OK - "),
        one(OF_A_STACK, [ours / "check_infratest", "mix.feature"], "INFRATEST OK - ", cwd=folder / "stack"),
        one("infratest check", [ours / "infratest", "check", "--host", "local", "mix.feature"], ""),
        one(TESTINFRA, [testinfra / "pytest", "-q", "--nagios", "--hosts", "local://", "test_mix.py"],
            "TESTINFRA OK", slow),
        one(BESIDE_BDD, [bdd / "pytest", "-q", "--nagios", "--hosts", "local://", "test_mix.py"], "TESTINFRA OK", slow),
    ]  # fmt: skip
    if count > 1:
        name = f"{OURS}, a scenario each"
        words = [ours / "check_infratest", "--host", "local", "single.feature"]
        contestants.insert(2, one(name, words, f"{count} scenarios ok"))
    contestants += _distribution(folder, found, one, outcome)
    return contestants


def _distribution(
    folder: Path, found: list[mix.Check], one: Callable[..., Contestant], outcome: Outcome
) -> Iterator[Contestant]:
    """Yield the peers that the distribution, or whoever set up the machine, must have installed."""
    goss, rspec = shutil.which("goss"), shutil.which("rspec")
    if goss:
        (folder / "goss.yaml").write_text(mix.goss(found))
        yield one("goss validate", [goss, "validate", "--format", "tap"], "", 5)
    if rspec:
        (folder / "mix_spec.rb").write_text(mix.serverspec(found))
        yield one("serverspec", [rspec, "mix_spec.rb"], " 0 failures", 3)
    if (PLUGINS / "check_dummy").exists() and len(found) == 1:
        yield one("C plugin check_dummy", [PLUGINS / "check_dummy", "0"], "OK")
        yield one("C plugin check_procs", [PLUGINS / "check_procs", "-c", "1:"], "")
    wanted = {
        "goss (no package of the distribution has it; measured where it is in PATH)": goss,
        "serverspec (package ruby-serverspec)": rspec,
        "C plugins (package monitoring-plugins-basic)": PLUGINS.exists(),
    }
    outcome.missing[:] = [name for name, there in wanted.items() if not there]


def says(name: str, said: str) -> Callable[[str], None]:
    """Return a check that an output holds a text."""

    def check(output: str) -> None:
        if said not in output:
            raise BenchError(f"{name} did not say {said!r}: {output[-1500:]}")

    return check


def _endpoints(folder: Path, outcome: Outcome, rounds: int) -> None:
    """Measure HTTP and TLS checks; one by plain HTTP has a limit."""
    ours, home = environment.ours(), mix.user_home()
    with _web(folder) as (http_port, https_port):
        (folder / "http.feature").write_text(_asks(f"http://127.0.0.1:{http_port}/"))
        (folder / "https.feature").write_text(_asks(f"https://localhost:{https_port}/"))
        trusted = {**home, "SSL_CERT_FILE": str(folder / "certificate.pem")}
        contestants = [
            Contestant(
                name=f"{OURS}, {kind}", cwd=folder, environment=trusted, check=says(kind, "INFRATEST OK"),
                command=[str(ours / "check_infratest"), "--host", "local", f"{kind}.feature"],
            )
            for kind in ("http", "https")
        ]  # fmt: skip
        if (PLUGINS / "check_http").exists():
            words = [str(PLUGINS / "check_http"), "-H", "127.0.0.1", "-p", str(http_port)]
            contestants.append(Contestant(name="C plugin check_http, http", cwd=folder, command=words))
            words = [str(PLUGINS / "check_http"), "-S", "-H", "localhost", "-p", str(https_port)]
            contestants.append(Contestant(name="C plugin check_http, https", cwd=folder, command=words))
        usages = in_turns(contestants, rounds)
    outcome.figures += [figure("1 HTTP check", name, runs) for name, runs in usages.items()]
    http_check = median([each.cpu for each in usages[f"{OURS}, http"]])
    ratio = round(http_check / bare(ours / "python"), 2)
    outcome.musts.append(Must(what=f"1 HTTP check, CPU against `{BARE}`", got=ratio, limit=4, unit="x"))


def _asks(url: str) -> str:
    return f'Feature: Web\n  Scenario: it answers\n    Then "{url}" answers 200\n'


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: standard error is for whoever reads the benchmark."""


@contextlib.contextmanager
def _web(folder: Path) -> Iterator[tuple[int, int]]:
    """Serve on two ports of this machine, one with a certificate of its own."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost".split()
    name = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    environment.ran("openssl", *words, *name, "-keyout", str(key), "-out", str(certificate))
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet)
    secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    for server in (plain, secure):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield plain.server_address[1], secure.server_address[1]
    finally:
        for server in (plain, secure):
            server.shutdown()
            server.server_close()


def imports(top: int = 10) -> list[tuple[str, float]]:
    """Return what `check_infratest` spends on imports: module and ms of its own, the dearest first."""
    words = environment.ours() / "check_infratest"
    one = Contestant(
        name="importtime", cwd=environment.cache() / "plugin" / "1-check", environment=mix.user_home(),
        command=[str(environment.ours() / "python"), "-X", "importtime", str(words), "--host", "local", "mix.feature"],
    )  # fmt: skip
    found = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", in_turns([one], 1)["importtime"][0].output)
    listed = sorted(((name, int(spent) / 1000) for spent, name in found), key=lambda item: -item[1])
    print(f"bench: {len(listed)} modules, {sum(spent for _, spent in listed):.0f} ms", file=sys.stderr)
    return listed[:top]
