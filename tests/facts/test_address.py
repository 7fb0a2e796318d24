"""The facts `address` and `greeting`, from the controller and from hosts with this tool or that, through a firewall."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.address import AddressFact, place
from infratest.facts.base import Answer
from infratest.facts.greeting import GreetingFact
from tests.worlds import far_network as far_side
from tests.worlds.far_network import ADDRESS, ADDRESS6, LOOKER, Far, far_network

OPEN, SILENT, STOPPED, REFUSED = "open", "silent", "stopped", "refused"
UNKNOWN = "unknown"

#: Address -> what is right, by who has python3; and by other tools where that is another thing.
TCP = {
    f"tcp://{ADDRESS}:{far_side.OPEN}": OPEN,
    f"tcp://[{ADDRESS6}]:{far_side.OPEN}": OPEN,
    f"tcp://far.example:{far_side.OPEN}": OPEN,
    f"tcp://{ADDRESS}:{far_side.CLOSED}": REFUSED,
    f"tcp://{ADDRESS}:{far_side.RESET}": REFUSED,
    f"tcp://{ADDRESS}:{far_side.DROPPED}": SILENT,
    f"tcp://{ADDRESS}:{far_side.PROHIBITED}": STOPPED,
    f"tcp://{ADDRESS}:{far_side.NO_NET}": STOPPED,
    "tcp://nosuch.example:80": "nameless",
    "tcp://203.0.113.9:80": UNKNOWN,  # no way there
}
#: That a network further on is not reachable, and that there is no way from here, are the same word of the kernel's.
BY_PROGRAMS = TCP | {f"tcp://{ADDRESS}:{far_side.NO_NET}": UNKNOWN}
OTHERS = {
    "nc.openbsd": BY_PROGRAMS,
    "nc.traditional": BY_PROGRAMS | {f"tcp://[{ADDRESS6}]:{far_side.OPEN}": UNKNOWN},
    "ncat": BY_PROGRAMS,
    "busybox": BY_PROGRAMS | {"tcp://nosuch.example:80": UNKNOWN},  # its `bad address` is name servers' silence, too
    "bash": BY_PROGRAMS,
}
UDP = {
    f"udp://{ADDRESS}:53": OPEN,  # unbound, which is asked what every name server knows
    f"udp://{ADDRESS}:{far_side.ECHO}": OPEN,
    f"udp://{ADDRESS}:123": SILENT,  # NTP answers whoever asks, so silence is one
    f"udp://{ADDRESS}:9": REFUSED,
    f"udp://{ADDRESS}:{far_side.MUTE_UDP}": UNKNOWN,  # it is there, and says nothing
    f"udp://{ADDRESS}:{far_side.DROPPED}": UNKNOWN,  # and this is stopped: nobody can tell them apart
}


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    with far_network(tmp_path_factory.mktemp("far")) as made:
        yield made


def tools(folder: Path, *names: str) -> str:
    """Return a PATH that has these programs alone; `nc=ncat` is ncat under another name."""
    folder.mkdir()
    for name in names:
        own, _, program = name.partition("=")
        found = shutil.which(program or own)
        assert found, name
        (folder / own).symlink_to(found)
    return str(folder)


BUSYBOX = "sh timeout cat true nc".split()
TOOLS = {
    "nc.openbsd": ("sh", "nc=nc.openbsd"),
    "nc.traditional": ("sh", "nc=nc.traditional"),
    "ncat": ("sh", "nc=ncat"),
    "busybox": tuple(f"{name}=busybox" for name in BUSYBOX),
    "bash": ("sh", "bash", "timeout", "true"),
}


def asked(far: Far, fact, arguments, path=None):
    """Ask as the engine's script does on a host, in the network of who looks."""
    done = far.looks(shutil.which("sh"), "-c", fact.ask(arguments), path=path, stdin=subprocess.DEVNULL)
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), arguments)


def outcomes(values):
    return {
        argument[0]: UNKNOWN if isinstance(value, FactError) else value.outcome for argument, value in values.items()
    }


LOOK = """
import json, sys
from infratest.deadline import Deadline
from infratest.errors import FactError
from infratest.facts.address import AddressFact
fact, seen = AddressFact(), {}
fact.patience = 2
for argument in json.loads(sys.argv[1]):
    value = fact.look([tuple(argument)], Deadline(60), lambda *place: place)[tuple(argument)]
    seen[argument[0]] = "unknown" if isinstance(value, FactError) else value.outcome
print(json.dumps(seen))
"""


def looked(far: Far, arguments):
    """Look from the controller, which is in the network of who looks."""
    done = far.looks(sys.executable, "-c", LOOK, json.dumps(arguments))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_host_with_python3_knows_what_stops_it_and_what_refuses_it(far):
    assert outcomes(asked(far, AddressFact(), [(text,) for text in TCP | UDP])) == TCP | UDP


def test_the_controller_sees_the_same(far):
    assert looked(far, [[text] for text in TCP | UDP]) == TCP | UDP


@pytest.mark.parametrize("tool", TOOLS)
def test_a_host_without_python3_is_asked_by_what_it_has(far, tool, tmp_path):
    path = tools(tmp_path / "bin", *TOOLS[tool])
    values = asked(far, AddressFact(), [(text,) for text in (*TCP, f"udp://{ADDRESS}:53")], path)
    udp = values.pop((f"udp://{ADDRESS}:53",))
    assert outcomes(values) == OTHERS[tool]
    assert "UDP is asked with python3" in str(udp)
    assert all(one.seconds < 20 for one in values.values() if not isinstance(one, FactError))


def test_a_host_without_anything_that_connects_says_what_to_install(far, tmp_path):
    with pytest.raises(FactError, match="install python3 or netcat-openbsd"):
        asked(far, AddressFact(), [(f"tcp://{ADDRESS}:7000",)], tools(tmp_path / "bin", "sh"))


def test_a_python3_that_does_not_run_counts_as_none(far, tmp_path):
    path = tools(tmp_path / "bin", "sh", "nc=nc.openbsd")
    (tmp_path / "bin/python3").write_text("#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n")
    (tmp_path / "bin/python3").chmod(0o755)
    text = f"tcp://{ADDRESS}:{far_side.OPEN}"
    assert outcomes(asked(far, AddressFact(), [(text,)], path)) == {text: OPEN}


@pytest.mark.parametrize("tool", ["python3", "nc.openbsd", "nc.traditional"])
def test_it_comes_from_the_address_that_is_asked_for(far, tool, tmp_path):
    path = None if tool == "python3" else tools(tmp_path / "bin", *TOOLS[tool])
    text = f"tcp://{ADDRESS}:{far_side.FROM_ONE}"
    arguments = [(text, LOOKER), (text, "10.88.0.11"), (text, "10.88.0.77")]
    first, second, third = asked(far, AddressFact(), arguments, path).values()
    assert (first.outcome, second.outcome) == (SILENT, OPEN)
    assert isinstance(third, FactError), "that is no address of this machine"


def test_what_a_program_says_of_its_own_options_is_no_silence():
    """The help of a nc that does not know an option has the word `timeout`."""
    answer = Answer(0, "nc\n1 ended 5.00 5.01 1 BusyBox v1.35.0\\n\t-w SEC\tConnect timeout\n")
    (value,) = AddressFact().read(answer, [("tcp://db:80",)]).values()
    assert isinstance(value, FactError)


@pytest.mark.parametrize("tool", ["busybox", "bash", "ncat"])
def test_what_cannot_choose_the_address_to_come_from_says_so(far, tool, tmp_path):
    arguments = [(f"tcp://{ADDRESS}:{far_side.OPEN}", LOOKER)]
    (value,) = asked(far, AddressFact(), arguments, tools(tmp_path / "bin", *TOOLS[tool])).values()
    assert "python3, which can choose the address to come from, is not installed" in str(value)


def test_a_name_server_that_does_not_answer_is_no_name_that_is_not_there(far, tmp_path):
    """The name is asked of a server that is behind a firewall: nothing was looked at."""
    resolving = Path("/etc/netns") / f"{far.name}-looker" / "resolv.conf"
    before = resolving.read_text()
    resolving.write_text("nameserver 10.88.0.99\noptions timeout:1 attempts:1\n")
    try:
        (value,) = asked(far, AddressFact(), [("tcp://nosuch.example:80",)]).values()
        assert isinstance(value, FactError)
        assert "could not be looked up" in str(value)
        assert looked(far, [["tcp://nosuch.example:80"]]) == {"tcp://nosuch.example:80": UNKNOWN}
    finally:
        resolving.write_text(before)


#: Ours, and others that lie beside it, as pyenv has them: this machine's own is not the only one that hosts have.
PYTHONS = [Path(sys.executable), *sorted(Path(sys.base_prefix).parent.glob("3.*/bin/python3"))]


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parts[-3])
def test_what_a_host_runs_runs_on_old_pythons(far, python, tmp_path):
    path = tools(tmp_path / "bin", "sh", f"python3={python}")
    texts = [f"tcp://{ADDRESS}:{far_side.OPEN}", f"tcp://{ADDRESS}:{far_side.CLOSED}", f"udp://{ADDRESS}:53"]
    assert outcomes(asked(far, AddressFact(), [(text,) for text in texts], path)) == dict(
        zip(texts, (OPEN, REFUSED, OPEN), strict=True)
    )


def test_greetings_come_as_they_are_said(far):
    ports = (far_side.BANNER, far_side.MAIL, far_side.BINARY, far_side.OPEN, far_side.CLOSED)
    values = asked(far, GreetingFact(), [(f"tcp://{ADDRESS}:{port}",) for port in ports])
    banner, mail, binary, silent, closed = values.values()
    assert banner.text == "SSH-2.0-OpenSSH_9.2p1 Debian\r\n"
    assert mail.text == "220-mail.example ESMTP\r\n220 at your service\r\n"
    assert binary.text == "J\0\0\0\n8.0.32\xff"
    assert (silent.text, silent.refused) == ("", "it lets us in and says nothing")
    assert (closed.text, closed.refused) == ("", "it is not reachable: connection refused")


def test_a_greeting_without_python3_is_not_known(far, tmp_path):
    with pytest.raises(FactError, match="python3 is not installed on this host"):
        asked(far, GreetingFact(), [("tcp://10.88.0.2:1",)], tools(tmp_path / "bin", *TOOLS["nc.openbsd"]))


@pytest.fixture
def listener():
    """A server on this machine's loopback that does with its two connections what it is given."""
    made = []

    def listening(deed):
        server = socket.create_server(("127.0.0.1", 0))

        def serve():
            for _ in range(2):
                one, _ = server.accept()
                with one:
                    deed(one)

        thread = threading.Thread(target=serve)
        thread.start()
        made.append((server, thread))
        return server.getsockname()[1]

    yield listening
    for server, thread in made:
        thread.join(20)
        server.close()


def closes(one):
    pass


def greets(one):
    one.sendall(b"220 here\r\n")


def waits(one):
    one.recv(1)


@pytest.mark.parametrize(
    ("deed", "outcome"), [(greets, OPEN), (closes, REFUSED), (waits, UNKNOWN)], ids=["greets", "hangs up", "waits"]
)
def test_a_published_port_is_reachable_only_if_somebody_behind_it_speaks(listener, deed, outcome):
    """What forwards a port lets everybody in, also where nobody listens behind it: that proves nothing."""
    port = listener(deed)
    argument = ("tcp://db:5432",)
    value = AddressFact().look([argument], Deadline(20), lambda host, asked: ("127.0.0.1", port))[argument]
    assert outcomes({argument: value}) == {"tcp://db:5432": outcome}


def test_udp_of_a_published_port_is_not_known():
    argument = ("udp://db:53",)
    value = AddressFact().look([argument], Deadline(20), lambda host, asked: ("127.0.0.1", 40000))[argument]
    assert "published for TCP alone" in str(value)


def test_our_own_deadline_is_no_silence_of_theirs(far):
    """Whose time is over before the address' own has seen nothing."""
    text = f"tcp://{ADDRESS}:{far_side.DROPPED}"
    code = LOOK.replace("Deadline(60)", "Deadline(0.3)")
    done = far.looks(sys.executable, "-c", code, json.dumps([[text]]))
    assert DeadlineExceeded.__name__ in done.stderr


ITSELF = """
from infratest.facts._outside import reach
print({reach("tcp", "127.0.0.1", port, "", 1)[0] for port in (50000, 50001) for _ in range(40)})
"""


def test_a_free_port_does_not_answer_itself(far):
    """A connection to a free port of this machine may get that very port, and then be connected with itself."""
    few = far.looks("sh", "-c", "echo 50000 50001 >/proc/sys/net/ipv4/ip_local_port_range")
    assert few.returncode == 0, few.stderr
    done = far.looks(sys.executable, "-c", ITSELF)
    far.looks("sh", "-c", "echo 32768 60999 >/proc/sys/net/ipv4/ip_local_port_range")
    assert done.stdout == "{'refused'}\n", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("db:5432", "tcp://db:5432"),
        ("tcp://db:5432", "tcp://db:5432"),
        ("[::1]:22", "tcp://[::1]:22"),
        ("udp://10.0.0.2:53", "udp://10.0.0.2:53"),
        ("b\u00fccher.example:80", "tcp://xn--bcher-kva.example:80"),
    ],
)
def test_an_address_is_always_written_alike(text, whole):
    assert place(text).text == whole


@pytest.mark.parametrize(
    "text",
    ["db", "db:", "db:0", "db:65536", "-x:1", "::1:22", "http://db:80", "a b:1", "a/b:1", "", "$(x):1", "db:1\0"],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UserError, match="expected HOST:PORT"):
        place(text)
