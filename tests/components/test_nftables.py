"""The rules of a firewall on a host: read by the real nft, and loaded into a kernel of their own.

The host is a network namespace of this machine, with a second one that comes to it by a pair of virtual interfaces.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.components.firewall import Firewall, nftables
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import Host
from infratest.providers._component import ANYWHERE, ComponentSpec, Opening
from infratest.providers._component import Firewall as Wish
from infratest.transports.base import CommandResult, Transport

HOST, OTHER = "192.0.2.1", "192.0.2.2"
OPENINGS = (
    Opening(first=80, last=80, networks=ANYWHERE),
    Opening(first=8000, last=8010, networks=("192.0.2.0/24",)),
    Opening(protocol="udp", networks=ANYWHERE),
    Opening(protocol="icmp", networks=("2001:db8::/32", "198.51.100.0/24")),
    Opening(protocol="any", hosts=("lb", "db", "nobody")),
)
ADDRESSES = {"lb": ["10.0.0.1", "2001:db8::1"], "db": ["10.0.0.2"]}
#: What the rules of these are, written by hand.
RULES = """\
    tcp dport 80 accept
    ip saddr { 192.0.2.0/24 } tcp dport 8000-8010 accept
    meta l4proto 17 accept
    ip saddr { 198.51.100.0/24 } meta l4proto { 1, 58 } accept
    ip6 saddr { 2001:db8::/32 } meta l4proto { 1, 58 } accept
    ip saddr { 10.0.0.1, 10.0.0.2 } accept
    ip6 saddr { 2001:db8::1 } accept
"""
#: Prints the port that came about, or why none did, for each port asked.
ASKS = """\
import socket, sys
for port in sys.argv[2:]:
    one = socket.socket(); one.settimeout(1.5)
    try: one.connect((sys.argv[1], int(port))); print(port, "open")
    except TimeoutError: print(port, "dropped")
    except ConnectionRefusedError: print(port, "refused")
"""
LISTENS = """\
import socket, sys
kept = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[2:]]
print("listening", flush=True)
sys.stdin.read()
"""


class Namespace(Transport):
    """The way to a host that is a network namespace of this machine, by the process that holds it."""

    def __init__(self, host: Host, pid: int, folder: Path, path: str = os.environ["PATH"], ssh: str = "") -> None:
        super().__init__(host)
        self.pid, self.folder, self.path, self.ssh = pid, folder, path, ssh

    def open(self, deadline: Deadline) -> None:
        pass

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        # A root of its own for /etc, so that nothing of this machine's is written.
        words = ["nsenter", f"--net=/proc/{self.pid}/ns/net", "unshare", "--mount", "sh", "-c",
                 f'mount --bind "{self.folder}" /etc && exec "$@"', "sh", *command]  # fmt: skip
        done = subprocess.run(words, input=stdin, capture_output=True, timeout=deadline.left,
                              env={"PATH": self.path, "SSH_CONNECTION": self.ssh}, check=False)  # fmt: skip
        return CommandResult(done.returncode, done.stdout, done.stderr, 0.0)

    def close(self) -> None:
        pass


@contextmanager
def held(words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that says one line and then waits for the end of its input."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), words
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Namespace]:
    (tmp_path / "etc" / "systemd" / "system").mkdir(parents=True)
    waits = ["unshare", "--net", "sh", "-c", "ip link set lo up; echo up; exec cat"]
    with held(waits) as one, held(waits) as two:
        a, b = (["nsenter", f"--net=/proc/{each.pid}/ns/net", "ip"] for each in (one, two))
        subprocess.run(
            [*a, "link", "add", "a0", "type", "veth", "peer", "name", "b0", "netns", str(two.pid)], check=True
        )
        for words, name, address in ((a, "a0", HOST), (b, "b0", OTHER)):
            subprocess.run([*words, "addr", "add", f"{address}/24", "dev", name], check=True)
            subprocess.run([*words, "link", "set", name, "up"], check=True)
        made = Namespace(Host(name="web"), one.pid, tmp_path / "etc", ssh=f"{OTHER} 40000 {HOST} 2222")
        made.other = two.pid  # type: ignore[attr-defined]
        yield made


def asked(host: Namespace, *ports: int) -> list[str]:
    """Return what the other one finds of the host's ports."""
    words = ["nsenter", f"--net=/proc/{host.other}/ns/net", sys.executable, "-c", ASKS, HOST]  # type: ignore[attr-defined]
    done = subprocess.run([*words, *map(str, ports)], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


@contextmanager
def listening(host: Namespace, *ports: int) -> Iterator[None]:
    words = ["nsenter", f"--net=/proc/{host.pid}/ns/net", sys.executable, "-c", LISTENS, HOST, *map(str, ports)]
    with held(words):
        yield


def spec(*openings: Opening) -> ComponentSpec:
    return ComponentSpec(name="rule", kind="firewall", hosts=("web",), wish=Wish(openings=openings))


def place(host: Namespace, *components: ComponentSpec) -> None:
    Firewall.place(components, host, ADDRESSES, "my-shop.x", Deadline(30))


def test_rules_are_those_that_are_written_here():
    assert nftables.rules(OPENINGS, ADDRESSES) == RULES


def test_the_real_nft_takes_them(tmp_path):
    text = nftables.ruleset(nftables.table("my-shop.x"), nftables.rules(OPENINGS, ADDRESSES), 2222)
    assert "table inet infratest_my_shop_x {" in text
    (tmp_path / "rules").write_text(text)
    done = subprocess.run(
        ["unshare", "--net", "nft", "-c", "-f", str(tmp_path / "rules")], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_let_in_comes_in_and_nothing_else(host):
    with listening(host, 80, 81, 2222, 8005):
        assert asked(host, 80, 81) == ["80 open", "81 open"]
        place(host, spec(*OPENINGS))
        assert asked(host, 80, 81, 2222, 8005, 8011) == [
            "80 open", "81 dropped", "2222 open", "8005 open", "8011 dropped",
        ]  # fmt: skip


def test_it_is_replaced_as_a_whole_taken_away_again_and_others_tables_stay(host):
    host.run(["nft", "add", "table", "inet", "mine"], Deadline(10))
    with listening(host, 80, 81):
        place(host, spec(Opening(first=80, last=80, networks=ANYWHERE)))
        place(host, spec(Opening(first=81, last=81, networks=ANYWHERE)))
        assert asked(host, 80, 81) == ["80 dropped", "81 open"]
        place(host)
        place(host)
        assert asked(host, 80, 81) == ["80 open", "81 open"]
    assert host.run(["nft", "list", "tables"], Deadline(10)).stdout == b"table inet mine\n"
    assert sorted(path.name for path in host.folder.rglob("*") if not path.is_dir()) == []


def test_a_firewall_that_allows_nothing_lets_in_ssh_alone(host):
    with listening(host, 80, 2222):
        place(host, spec())
        assert asked(host, 80, 2222) == ["80 dropped", "2222 open"]


def test_it_is_loaded_again_at_each_boot_where_there_is_systemd(host):
    assert Path("/usr/bin/systemctl").exists()
    place(host, spec(*OPENINGS))
    unit = (host.folder / "systemd/system/infratest-firewall.service").read_text()
    assert "ExecStart=/usr/sbin/nft -f /etc/infratest-firewall.nft\n" in unit
    assert (host.folder / "systemd/system/sysinit.target.wants/infratest-firewall.service").is_symlink()
    assert "tcp dport 80 accept" in (host.folder / "infratest-firewall.nft").read_text()


def test_a_host_without_nft_is_told(host, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("sh", "cat", "mount", "nsenter", "unshare"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    host.path = str(tmp_path / "bin")
    with pytest.raises(ProviderError, match="web: its firewall could not be loaded: it has no nft: install nftables"):
        place(host, spec())
    place(host)  # nothing to take away


def test_what_may_not_be_loaded_is_told_and_what_was_there_stays(host):
    with listening(host, 80, 81):
        place(host, spec(Opening(first=80, last=80, networks=ANYWHERE)))
        with pytest.raises(ProviderError, match="web: its firewall could not be loaded: "):
            nftables.load(host, nftables.table("my-shop.x"), "    no such rule\n", Deadline(10))
        assert asked(host, 80, 81) == ["80 open", "81 dropped"]
