"""Whether a kernel has netem is known before anything is done: tc is a script that stands for one of a host without."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.acts.base import perform
from infratest.acts.netem import NetemAct
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.testing.acts import Recorder
from tests.contracts.case_files import programs

#: As iproute2 6.1 prints it on a kernel without sch_netem, and as older ones do.
REFUSALS = ["Error: Specified qdisc kind is unknown.", "RTNETLINK answers: No such file or directory"]
#: Keeps what it is asked, with the network that it is asked in; adds netem where the file `netem` is.
TC = """#!/bin/sh
echo "$(/usr/bin/readlink /proc/self/ns/net) $*" >>asked
case $* in
  *show*) echo 'qdisc noqueue 0: root refcnt 2' ;;
  *netem*) [ -e netem ] || { echo '%s' >&2; exit 2; } ;;
esac
"""
PROGRAMS = {
    "ip": "#!/bin/sh\necho 'default via 10.0.0.1 dev eth7 proto dhcp'\n",
    "readlink": "#!/bin/sh\necho 'net:[1]'\n",  # a host with a network of its own
}


@pytest.fixture(params=REFUSALS)
def access(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.chdir(tmp_path)
    place = programs(tmp_path, {**PROGRAMS, "tc": TC % request.param})
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    access = Recorder()
    yield access
    access.close()


def asked() -> list[tuple[bool, str]]:
    """Return what tc was asked, and whether it was in this network."""
    here = subprocess.run(["/usr/bin/readlink", "/proc/self/ns/net"], capture_output=True, text=True, check=True)
    rows = [row.split(" ", 1) for row in Path("asked").read_text().splitlines()]
    return [(network == here.stdout.strip(), words) for network, words in rows]


def test_a_kernel_without_netem_is_refused_with_what_to_try_before_anything_is_done(access: Recorder) -> None:
    words = r"the kernel of here has no netem, .*: try `modprobe sch_netem` .* a virtual machine has its own"
    with pytest.raises(ActError, match=words):
        NetemAct("delay", "200ms").guard(access, Deadline(20))
    assert asked() == [
        (True, "qdisc show dev eth7 root"),
        (False, "qdisc add dev lo root netem delay 1ms"),
    ]


def test_a_kernel_with_netem_is_tried_in_a_network_that_is_gone_after_it(access: Recorder) -> None:
    Path("netem").touch()
    NetemAct("loss", "5%").guard(access, Deadline(20))
    assert [words for here, words in asked() if here] == ["qdisc show dev eth7 root"]


def test_where_no_network_can_be_made_the_act_itself_says_so(access: Recorder, tmp_path: Path) -> None:
    unshare = tmp_path / "bin" / "unshare"
    unshare.write_text("#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n")
    unshare.chmod(0o755)
    act = NetemAct("delay", "200ms")
    act.guard(access, Deadline(20))
    with pytest.raises(ActError, match="the kernel of here has no netem"):
        perform(act, access, Deadline(20), Deadline(20), access.record_undo)
