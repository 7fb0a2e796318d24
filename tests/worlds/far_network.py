"""Two machines' networks on this one: one that looks, and one with servers, a firewall and a name server of its own.

Network namespaces joined by a cable (veth). `Far.looks` is who looks; its own network has no way beyond the cable.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from infratest.testing.waiting import wait_until

ADDRESS, ADDRESS6, LOOKER, LOOKER6 = "10.88.0.2", "fd88::2", "10.88.0.1", "fd88::1"
#: TCP ports of the far side: it lets in and is silent, greets as it does, or is stopped.
OPEN, BANNER, MAIL, BINARY, FROM_ONE = 7000, 7022, 7025, 7033, 7044
DROPPED, PROHIBITED, RESET, NO_NET, CLOSED = 7001, 7002, 7003, 7004, 7005
#: UDP ports: who answers anything, whoever does not, and DNS behind the firewall on 5353.
ECHO, MUTE_UDP = 7007, 7008

RULES = f"""
table inet far {{
  chain in {{
    type filter hook input priority 0;
    tcp dport {DROPPED} drop
    tcp dport {PROHIBITED} reject with icmpx type admin-prohibited
    tcp dport {RESET} reject with tcp reset
    ip protocol tcp tcp dport {NO_NET} reject with icmp type net-unreachable
    tcp dport {FROM_ONE} ip saddr {LOOKER} drop
    udp dport {{ {DROPPED}, 123 }} drop
  }}
}}
"""

SERVERS = f"""
import socket, sys, threading
GREETINGS = {{{OPEN}: b"", {FROM_ONE}: b"", {BANNER}: b"SSH-2.0-OpenSSH_9.2p1 Debian\\r\\n",
             {MAIL}: b"220-mail.example ESMTP\\r\\n220 at your service\\r\\n",
             {BINARY}: b"\\x4a\\0\\0\\0\\x0a8.0.32\\xff"}}
def hold(one, words):
    if words:
        for at in range(len(words)):
            one.sendall(words[at:at + 1])
    try:
        one.recv(1)
    finally:
        one.close()
def serve(port):
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100)
    ready.release()
    while True:
        one, _ = server.accept()
        threading.Thread(target=hold, args=(one, GREETINGS[port]), daemon=True).start()
def datagrams(port, answers):
    one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.bind(("", port))
    ready.release()
    while True:
        data, place = one.recvfrom(2048)
        if answers:
            one.sendto(b"here", place)
ready = threading.Semaphore(0)
jobs = [(serve, (port,)) for port in GREETINGS]
jobs += [(datagrams, ({ECHO}, True)), (datagrams, ({MUTE_UDP}, False)), (datagrams, (123, True))]
threading.excepthook = lambda arguments: None
for job, arguments in jobs:
    threading.Thread(target=job, args=arguments, daemon=True).start()
for _ in jobs:
    ready.acquire()
print("ready", flush=True)
sys.stdin.read()
"""

#: What the far side's name server says, and that it knows no other zone.
ZONE = f"""
server:
  username: ""
  chroot: ""
  use-syslog: no
  do-daemonize: no
  pidfile: ""
  interface: {ADDRESS}
  access-control: 10.88.0.0/24 allow
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "." refuse
  local-zone: "example." static
  local-zone: "10.in-addr.arpa." static
  local-data: "far.example. 300 A {ADDRESS}"
  local-data: "far.example. 300 AAAA {ADDRESS6}"
  local-data: "four.example. 300 A {ADDRESS}"
  local-data: "four.example. 300 A 10.88.0.22"
  local-data: "nothing.example. 300 TXT 'no address'"
  local-data: "shop.example. 600 MX 10 mail.shop.example."
  local-data: "shop.example. 300 MX 20 Other.example."
  local-data: 'shop.example. 300 TXT "v=spf1 mx -all"'
  local-data: 'shop.example. 300 TXT "two " "parts \\" and a quote"'
  local-data: 'shop.example. 300 CAA 0 issue "ca.example"'
  local-data: "www.shop.example. 300 CNAME shop.example."
  local-data: "_sip._tcp.shop.example. 300 SRV 0 5 5060 sip.shop.example."
  local-data-ptr: "{ADDRESS} far.example"
remote-control:
  control-enable: no
"""


class Far:
    """What stands: `name` begins the names of both namespaces."""

    def __init__(self, name: str) -> None:
        self.name = name

    def looks(self, *words: str, path: str | None = None, **more: object) -> subprocess.CompletedProcess[str]:
        """Run a program in the network of who looks."""
        return self._run("looker", words, path, **more)

    def far(self, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        """Run a program in the network with the servers."""
        return self._run("far", words, None, **more)

    def _run(
        self, side: str, words: Sequence[str], path: str | None, **more: object
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LC_ALL": "C", "PATH": path or os.environ["PATH"]}
        inside = [shutil.which("ip") or "ip", "netns", "exec", f"{self.name}-{side}", *words]
        return subprocess.run(
            inside,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **more,  # type: ignore[call-overload]
        )


@contextlib.contextmanager
def far_network(place: Path) -> Iterator[Far]:
    """Make both networks, what serves and what stops; all of it has ended when the block has."""
    far = Far(f"infratest-{os.getpid()}")
    looker, other = f"{far.name}-looker", f"{far.name}-far"
    settings = Path("/etc/netns") / looker
    running: list[subprocess.Popen[str]] = []
    try:
        for side in (looker, other):
            _ip("netns", "add", side)
            _ip("-n", side, "link", "set", "lo", "up")
        _ip("-n", looker, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", other)
        for side, four, six in ((looker, LOOKER, LOOKER6), (other, ADDRESS, ADDRESS6)):
            _ip("-n", side, "link", "set", "cable", "up")
            _ip("-n", side, "addr", "add", f"{four}/24", "dev", "cable")
            _ip("-n", side, "addr", "add", f"{six}/64", "dev", "cable", "nodad")
        _ip("-n", looker, "addr", "add", "10.88.0.11/24", "dev", "cable")
        settings.mkdir(parents=True)
        (settings / "resolv.conf").write_text(f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
        (settings / "nsswitch.conf").write_text("hosts: files dns\n")
        loaded = far.far("nft", "-f", "-", input=RULES)
        assert loaded.returncode == 0, loaded.stderr
        (place / "unbound.conf").write_text(ZONE)
        running.append(_started(other, "unbound", "-c", str(place / "unbound.conf")))
        servers = _started(other, sys.executable, "-c", SERVERS)
        running.append(servers)
        assert servers.stdout is not None
        assert servers.stdout.readline() == "ready\n"
        assert wait_until(lambda: ADDRESS in far.looks("getent", "ahosts", "four.example").stdout)
        yield far
    finally:
        for process in running:
            process.kill()
            process.communicate()
        for side in (looker, other):
            subprocess.run(["ip", "netns", "delete", side], capture_output=True, check=False)
        shutil.rmtree(settings, ignore_errors=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _started(side: str, *words: str) -> subprocess.Popen[str]:
    inside = ["ip", "netns", "exec", side, *words]
    return subprocess.Popen(inside, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
