"""What checks of sockets and processes see: the kernel's own rules of which listener answers at which address."""

from __future__ import annotations

import pytest
from infratest.steps.process import ProcessCount, ProcessMemory, ProcessRunning, ProcessUser
from infratest.steps.socket import PortListening, UnixListening, socket_check

from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.facts.file import File
from infratest.facts.process import Process, Processes
from infratest.facts.process.names import Status, names
from infratest.facts.socket import Listener, Listeners
from infratest.facts.unix_socket import UnixListener, UnixListeners
from infratest.facts.user import User

SOCKETS, UNIX, PROCESSES = Need("socket"), Need("unix-socket"), Need("process")


def tcp(address, port=80, only6=None, kind="tcp"):
    return Listener(kind=kind, address=address, port=port, family=6 if ":" in address else 4, only6=only6)


LOOP4, ALL4, LOOP6, ONLY6, BOTH = (
    tcp("127.0.0.1"), tcp("0.0.0.0"), tcp("::1"), tcp("::", only6=True), tcp("::", only6=False)
)  # fmt: skip


@pytest.mark.parametrize(
    "listener, answers_at",
    [
        (LOOP4, {"127.0.0.1"}),
        (ALL4, {"127.0.0.1", "192.0.2.1", "0.0.0.0"}),
        (LOOP6, {"::1"}),
        (ONLY6, {"::1", "2001:db8::1", "::"}),
        (BOTH, {"127.0.0.1", "192.0.2.1", "0.0.0.0", "::1", "2001:db8::1", "::"}),
    ],
)
def test_where_a_listener_answers(listener, answers_at):
    for address in ("127.0.0.1", "192.0.2.1", "0.0.0.0", "::1", "2001:db8::1", "::"):
        seen = PortListening(80, address=address).observe({SOCKETS: Listeners((listener, tcp("10.0.0.1", 81)))})
        assert seen.holds is (address in answers_at), address
    assert PortListening(80).observe({SOCKETS: Listeners((listener,))}).holds
    assert not PortListening(80, "udp").observe({SOCKETS: Listeners((listener,))}).holds


def test_a_wildcard_of_which_the_host_cannot_say_whether_it_takes_ipv4_is_unknown():
    unsure = tcp("::")
    with pytest.raises(FactError, match="cannot say"):
        PortListening(80, address="127.0.0.1").observe({SOCKETS: Listeners((unsure,))})
    assert PortListening(80, address="::1").observe({SOCKETS: Listeners((unsure,))}).holds
    assert PortListening(80, address="127.0.0.1").observe({SOCKETS: Listeners((unsure, LOOP4))}).holds


@pytest.mark.parametrize(
    "listeners, holds", [((LOOP4,), True), ((LOOP4, ALL4), False), ((LOOP4, LOOP6), False), ((BOTH,), False)]
)
def test_listening_only_at_an_address(listeners, holds):
    assert PortListening(80, address="127.0.0.1", only=True).observe({SOCKETS: Listeners(listeners)}).holds is holds


MAPPED, MAPPED_ALL = tcp("::ffff:127.0.0.1"), tcp("::ffff:0.0.0.0")


@pytest.mark.parametrize(
    "listener, address, answers, only",
    [
        (MAPPED, "127.0.0.1", True, True),
        (MAPPED, "::ffff:127.0.0.1", True, True),
        (MAPPED, "::1", False, False),
        (LOOP4, "::ffff:127.0.0.1", True, True),
        (MAPPED_ALL, "127.0.0.1", True, False),
        (MAPPED_ALL, "::1", False, False),
        (BOTH, "::ffff:127.0.0.1", True, False),
        (LOOP6, "0:0::1", True, True),
    ],
)
def test_an_ipv4_address_in_an_ipv6_one_is_that_address(listener, address, answers, only):
    facts = {SOCKETS: Listeners((listener,))}
    assert PortListening(80, address=address).observe(facts).holds is answers
    assert PortListening(80, address=address, only=True).observe(facts).holds is only
    assert (
        PortListening(80, "udp", address, True).observe({SOCKETS: Listeners((listener.changed(kind="udp"),))}).holds
        is only
    )


def over(address, interface, *reached, only6=None):
    return tcp(address, only6=only6).changed(interface=interface, reached=reached)


ETH0 = ("10.0.0.5", "fe80::1", "2001:db8::5")


@pytest.mark.parametrize(
    "listener, address, answers",
    [
        (over("0.0.0.0", "eth0", *ETH0), "127.0.0.1", False),
        (over("0.0.0.0", "eth0", *ETH0), "127.8.8.8", False),
        (over("0.0.0.0", "eth0", *ETH0), "10.0.0.5", True),
        (over("0.0.0.0", "eth0", *ETH0), "0.0.0.0", False),
        (over("0.0.0.0", "eth0", *ETH0), "10.0.0.6", None),
        (over("0.0.0.0", "eth0", *ETH0), "::1", False),
        (over("10.0.0.5", "eth0", *ETH0), "10.0.0.5", True),
        (over("::", "eth0", *ETH0, only6=False), "127.0.0.1", False),
        (over("::", "eth0", *ETH0, only6=False), "10.0.0.5", True),
        (over("::", "eth0", *ETH0, only6=False), "::1", False),
        (over("::", "eth0", *ETH0, only6=True), "10.0.0.5", False),
        (over("::", "eth0", *ETH0, only6=True), "2001:db8::5", True),
        (over("fe80::1", "eth0", *ETH0), "fe80::1", True),
        (over("fe80::1", "eth0", *ETH0), "fe80::1%eth0", True),
        (over("fe80::1", "eth0", *ETH0), "fe80::1%eth1", False),
        (over("0.0.0.0", "lo", "127.0.0.1", "::1"), "127.0.0.1", True),
        (over("0.0.0.0", "lo", "127.0.0.1", "::1"), "127.0.0.53", True),
        (over("0.0.0.0", "lo", "127.0.0.1", "::1"), "10.0.0.5", False),
        (over("0.0.0.0", "lo", "127.0.0.1", "10.7.7.7"), "10.7.7.7", True),
        (over("127.0.0.53", "lo", "127.0.0.1", "::1"), "127.0.0.53", True),
        (over("127.0.0.53", "lo", "127.0.0.1", "::1"), "127.0.0.1", False),
        (tcp("0.0.0.0").changed(interface="eth0"), "10.0.0.5", None),  # without `ip`
        (tcp("0.0.0.0").changed(interface="eth0"), "127.0.0.1", False),
        (tcp("0.0.0.0").changed(interface=None), "127.0.0.1", None),  # without `ss`
        (tcp("127.0.0.1").changed(interface=None), "127.0.0.1", True),
    ],
)
def test_a_listener_that_is_bound_to_an_interface(listener, address, answers):
    facts = {SOCKETS: Listeners((listener,))}
    assert PortListening(80).observe(facts).holds
    check = PortListening(80, address=address)
    if answers is None:
        with pytest.raises(FactError, match=r"is not known to be an address|cannot say if over one interface"):
            check.observe(facts)
    else:
        assert check.observe(facts).holds is answers


def test_only_at_a_link_local_address_of_one_interface():
    facts = {SOCKETS: Listeners((over("fe80::1", "eth0", *ETH0),))}
    for address, holds in (("fe80::1", True), ("fe80::1%eth0", True), ("fe80::1%eth1", False)):
        assert PortListening(80, address=address, only=True).observe(facts).holds is holds


def test_the_interface_is_told():
    seen = PortListening(80, address="127.0.0.1").observe({SOCKETS: Listeners((over("0.0.0.0", "eth0"),))})
    assert seen.saw == "port 80 is listening at 0.0.0.0%eth0"


def test_what_listens_instead_is_named_and_bounded():
    seen = PortListening(80).observe({SOCKETS: Listeners((tcp("0.0.0.0", 5432), tcp("0.0.0.0", 22), tcp("::", 22)))})
    assert seen.saw == "port 80 is not listening; listening are 22, 5432"
    many = Listeners(tcp("0.0.0.0", port) for port in range(1000, 1100))
    assert PortListening(80).observe({SOCKETS: many}).saw.endswith("1008, 1009 and 90 more")
    nothing = {SOCKETS: Listeners()}
    assert PortListening(53, "udp").observe(nothing).saw == "port 53/udp is not listening; listening are none"
    assert PortListening(80).observe({SOCKETS: Listeners((ALL4, LOOP6))}).saw == "port 80 is listening at 0.0.0.0, ::1"


def unix(path, **listeners):
    """What is seen of a path at which there is a socket, or what is given."""
    found = listeners.pop("listening", (UnixListener("/run/x.sock", file=(45, 7)), UnixListener("@abstract")))
    there = listeners.pop("there", File("socket", device=45, inode=7))
    return UnixListening(path).observe({UNIX: UnixListeners(found), Need("file", (path,)): there})


@pytest.mark.parametrize("path", ["/run/x.sock", "/var/run/x.sock", "/other/name"])
def test_a_unix_socket_answers_at_every_path_to_its_file(path):
    seen = unix(path)
    assert (seen.holds, seen.saw) == (True, f'the socket "unix:{path}" is listening')


@pytest.mark.parametrize(
    "there, words",
    [
        (File(None), "there is no file /run/x.sock"),
        (File(None, link="y"), "/run/x.sock is a link to y, which is not there"),
        (File("file", device=45, inode=7), "/run/x.sock is a file"),
        (File("socket", device=45, inode=8), "nobody waits at the file that is there"),
        (File("socket", device=46, inode=8), "nobody waits at the file that is there"),
    ],
)
def test_a_unix_socket_does_not_answer_where_its_file_is_not(there, words):
    seen = unix("/run/x.sock", there=there)
    assert not seen.holds
    assert seen.saw == (
        f'the socket "unix:/run/x.sock" is not listening: {words}; listening are /run/x.sock, @abstract'
    )


def test_unix_sockets_of_which_not_all_is_known():
    assert unix("/run/x.sock", there=File("socket", device=99, inode=7)).holds  # btrfs
    assert not unix("/run/y.sock", there=File("socket", device=99, inode=7)).holds
    unknown = (UnixListener("/run/x.sock"),)
    for path, link in (("/run/x.sock", None), ("/var/run/x.sock", None), ("/run/y", "x.sock")):
        with pytest.raises(FactError, match=r"was bound as /run/x\.sock, and without ss"):
            unix(path, listening=unknown, there=File("socket", device=45, inode=7, link=link))
    assert not unix("/run/y", listening=unknown).holds
    other = (UnixListener("/other/x.sock"), UnixListener("/run/x.sock", file=(45, 7)))
    assert unix("/run/x.sock", listening=other).holds
    with pytest.raises(FactError, match="Permission denied"):
        unix("/run/x.sock", there=File(None, problem="Permission denied"))


def test_abstract_unix_sockets_have_no_file():
    facts = {UNIX: UnixListeners((UnixListener("@abstract"), UnixListener("/run/x.sock", file=(45, 7))))}
    assert UnixListening("@abstract").observe(facts).holds
    seen = UnixListening("@nosuch").observe(facts)
    assert (seen.holds, seen.saw) == (
        False, 'the socket "unix:@nosuch" is not listening; listening are /run/x.sock, @abstract'
    )  # fmt: skip


@pytest.mark.parametrize(
    "text, check",
    [
        ("unix:/run/x.sock", UnixListening("/run/x.sock")),
        ("unix:///run/x.sock", UnixListening("/run/x.sock")),
        ("tcp://80", PortListening(80)),
        ("tcp://127.0.0.1:80", PortListening(80, "tcp", "127.0.0.1")),
        ("tcp://:::80", PortListening(80, "tcp", "::")),
        ("tcp://[::1]:80", PortListening(80, "tcp", "::1")),
        ("udp://0.0.0.0:53", PortListening(53, "udp", "0.0.0.0")),
    ],
)
def test_a_socket_in_one_word(text, check):
    assert socket_check(text) == check


def process(name, *words, pid=10, uid=33, state="S", rss=2**20, path=""):
    status = Status(pid=pid, parent=1, uid=uid, state=state, name=name, rss=rss, words=words, path=path)
    called, cut = names(status)
    return Process(pid, 1, uid, state, name, "".join(words[:1]), rss, called, cut)


@pytest.mark.parametrize(
    "asked, found, holds",
    [
        ("nginx", process("nginx", "nginx: master process /usr/sbin/nginx"), True),
        ("nginx", process("nginx", "/usr/sbin/nginx"), True),
        ("nginx", process("nginx-exporter", "/usr/bin/nginx-exporter"), False),
        ("ngin", process("nginx"), False),
        ("nginx", process("sh", "/bin/sh"), False),
        ("systemd-journald", process("systemd-journal", "/lib/systemd/systemd-journald"), True),
        ("systemd-journal", process("systemd-journal", "/lib/systemd/systemd-journald"), True),
        ("kthreadd", process("kthreadd"), True),
        ("nginx", process("nginx", state="Z"), False),
        ("tmux: server", process("tmux: server", "tmux"), True),
        # A name of more than 15 bytes, of which the kernel keeps no more.
        ("wazuh-modules-extra", process("wazuh-modules-e", "/opt/p/wazuh-modules-extra"), True),
        ("wazuh-modules-extra2", process("wazuh-modules-e", "/opt/p/wazuh-modules-extra"), False),
        ("wazuh-modules-e", process("wazuh-modules-e", "/opt/p/wazuh-modules-extra"), True),
        ("wazuh-modules-extra2", process("wazuh-modules-e", "worker 1", path="/opt/p/wazuh-modules-extra"), False),
        ("wazuh-modules-extra", process("wazuh-modules-e", "worker 1", path="/o/wazuh-modules-extra (deleted)"), True),
        ("wazuh-modules-extra2", process("wazuh-modules-e", "x", path="/opt/p/wazuh-modules-e"), False),
        ("networkd-dispatcher", process("networkd-dispat", "/usr/bin/python3", "/usr/bin/networkd-dispatcher"), True),
        ("networkd-dispatchers", process("networkd-dispat", "/usr/bin/python3", "/usr/bin/networkd-dispatcher"), False),
        ("wazuh-modules-extra", process("wazuh-modules-e", "wazuh-modules-extra: worker 1"), True),
        ("éééééééé", process("ééééééé\ufffd", "/opt/éééééééé"), True),
        ("ééééééééé", process("ééééééé\ufffd", "/opt/éééééééé"), False),
        ("kworker/u16:0-events_unbound", process("kworker/u16:0-events_unbound"), True),
        # A title that a program has written for itself.
        ("postgrey", process("/usr/sbin/postg", "/usr/sbin/postgrey --pidfile=/var/run/postgrey.pid"), True),
        ("postgrey.pid", process("/usr/sbin/postg", "/usr/sbin/postgrey --pidfile=/var/run/postgrey.pid"), False),
        ("ngcp-faxd", process("perl", "ngcp-faxd --cfg-file /etc/ngcp/faxserver.conf"), True),
        ("faxserver.conf", process("perl", "ngcp-faxd --cfg-file /etc/ngcp/faxserver.conf"), False),
        ("postgres", process("x", "postgres: 15/main: checkpointer "), True),
        ("postgres: 15/main: checkpointer ", process("x", "postgres: 15/main: checkpointer "), True),
        ("main: checkpointer ", process("x", "postgres: 15/main: checkpointer "), False),
        ("my server", process("y", "/opt/my app/my server", path="/opt/my app/my server"), True),
        ("a: b /usr/sbin/nginx", process("z", "a: b /usr/sbin/nginx", path="/usr/sbin/nginx"), True),
        ("nginx", process("z", "a: b /usr/sbin/nginx", path="/usr/sbin/nginx"), False),
        ("a", process("z", "a: b/", path=""), True),
        ("my", process("y", "/opt/my app/my server", path="/opt/my app/my server"), False),
    ],
)
def test_the_name_of_a_process(asked, found, holds):
    seen = ProcessRunning(asked).observe({PROCESSES: Processes((found, process("other", pid=11)))})
    assert seen.holds is holds
    words = f'the process "{asked}" is running (pid 10)' if holds else f'no process "{asked}" is running'
    assert seen.saw == words


@pytest.mark.parametrize(
    "found",
    [process("systemd-journal"), process("systemd-journal", "x y"), process("systemd-journal", "a", path="/usr/bin/p")],
)
def test_a_name_of_which_the_rest_is_not_known_is_neither_this_one_nor_another(found):
    facts = {PROCESSES: Processes((found, process("other", pid=11)))}
    for check in (ProcessRunning, ProcessCount, ProcessMemory):
        with pytest.raises(FactError, match=r'of pid 10 only the first 15 bytes .* "systemd-journal"; look with root'):
            check("systemd-journald").observe(facts)
    assert not ProcessRunning("systemd-networkd").observe(facts).holds
    assert ProcessRunning("systemd-journal").observe(facts).holds
    there = {PROCESSES: Processes((found, process("systemd-journal", "/lib/systemd/systemd-journald", pid=11)))}
    assert ProcessRunning("systemd-journald").observe(there).holds
    with pytest.raises(FactError):
        ProcessCount("systemd-journald").observe(there)


def test_how_many_and_how_large():
    found = {PROCESSES: Processes(process("nginx", pid=pid) for pid in range(1, 8))}
    count = ProcessCount("nginx").observe(found)
    assert (count.holds, count.number) == (True, 7)
    assert count.saw == 'the process "nginx" runs 7 times (pid 1, 2, 3, 4, 5 and 2 more)'
    assert ProcessMemory("nginx").observe(found).number == 7 * 2**20
    none = {PROCESSES: Processes()}
    assert (ProcessCount("nginx").observe(none).holds, ProcessCount("nginx").observe(none).number) == (True, 0)
    assert (ProcessMemory("nginx").observe(none).holds, ProcessMemory("nginx").observe(none).number) == (False, None)


def test_whose_processes():
    user = User(name="www-data", uid=33, gid=33, home="/var/www", shell="/bin/false")
    check = ProcessUser("nginx", "www-data")
    asked = Need("user", ("www-data",))
    assert check.observe({PROCESSES: Processes((process("nginx"),)), asked: user}).holds
    mixed = check.observe({PROCESSES: Processes((process("nginx"), process("nginx", uid=0))), asked: user})
    assert (mixed.holds, mixed.saw) == (False, 'the process "nginx" runs as uid 0, 33; "www-data" has uid 33')
    assert (
        check.observe({PROCESSES: Processes((process("nginx"),)), asked: None}).saw
        == 'the user "www-data" does not exist'
    )
    assert check.observe({PROCESSES: Processes(), asked: user}).absent
