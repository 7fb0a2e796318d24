"""Real servers of other tools on the loopback, each from a folder of its own, that senders send to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.worlds.monitoring_tools import LONG, daemon, owner, program_of
from tests.worlds.tls_servers import free_ports, listens
from tests.worlds.x509_files import issued

CARBON = """[cache]
STORAGE_DIR = {folder}
CONF_DIR = {folder}
LOG_DIR = {folder}/log
PID_DIR = {folder}
LOCAL_DATA_DIR = {folder}/whisper
USER = {owner}
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
ENABLE_TAGS = False
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
"""


@dataclass(frozen=True)
class Carbon:
    """A running one: its port for lines, and where it keeps its files."""

    port: int
    storage: Path


@contextmanager
def carbon(folder: Path) -> Iterator[Carbon]:
    """Have a carbon that keeps each second, until the block ends."""
    line, pickle, query = free_ports(3)
    for name in ("log", "whisper"):
        (folder / name).mkdir()
    given = CARBON.format(folder=folder, owner=owner(), line=line, pickle=pickle, query=query)
    (folder / "carbon.conf").write_text(given)
    (folder / "storage-schemas.conf").write_text("[all]\npattern = .*\nretentions = 1s:1h\n")
    words = [program_of("carbon-cache"), f"--config={folder}/carbon.conf", "--nodaemon", f"--pidfile={folder}/c.pid"]
    with daemon(folder, [*words, "start"]) as process:
        assert wait_until(lambda: process.poll() is not None or listens(line), LONG)
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield Carbon(line, folder / "whisper")


RSYSLOG = """global(workDirectory="{folder}")
module(load="imudp")
module(load="imtcp")
template(name="each" type="list" option.jsonf="on") {{
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="program" name="app-name" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
ruleset(name="all") {{ action(type="omfile" file="{folder}/out.jsonl" template="each") }}
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="{tcp}" ruleset="all")
"""
#: What ends TLS before rsyslog: its own driver for that is another package.
STUNNEL = """import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[4])
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def serve(plain):
    try:
        with context.wrap_socket(plain, server_side=True) as one:
            with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as behind:
                while data := one.recv(65536):
                    behind.sendall(data)
    except OSError:
        pass
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


@dataclass(frozen=True)
class Rsyslogd:
    """A running one: its ports, whose certificate it has, and the file in which each message is a line of JSON."""

    udp: int
    tcp: int
    tls: int
    ca: Path
    out: Path


@contextmanager
def rsyslogd(folder: Path) -> Iterator[Rsyslogd]:
    """Have an rsyslogd until the block ends."""
    udp, tcp, tls = free_ports(3)
    root = issued("Tests root", authority=True)
    leaf = issued("127.0.0.1", root, names=("127.0.0.1",))
    (folder / "ca.pem").write_bytes(root.pem)
    (folder / "leaf.pem").write_bytes(leaf.pem)
    (folder / "leaf.key").write_bytes(leaf.key_pem())
    (folder / "rsyslog.conf").write_text(RSYSLOG.format(folder=folder, udp=udp, tcp=tcp))
    (folder / "before").mkdir()
    before = [sys.executable, "-c", STUNNEL, str(tls), str(tcp), str(folder / "leaf.pem"), str(folder / "leaf.key")]
    words = [program_of("rsyslogd"), "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")]
    with daemon(folder, words) as process, daemon(folder / "before", before):
        assert wait_until(lambda: process.poll() is not None or (listens(tcp) and listens(tls)), LONG)
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield Rsyslogd(udp, tcp, tls, folder / "ca.pem", folder / "out.jsonl")
