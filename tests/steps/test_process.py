"""Which processes bear the name that a sentence asks for."""

from __future__ import annotations

import pytest
from infratest.steps.process import ProcessCount, ProcessMemory, ProcessRunning

from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.facts.process import Processes
from infratest.facts.process.names import Process

PROCESSES = Need("process")


def process(name, *words, pid=10, uid=33, state="S", rss=2**20, path=""):
    return Process(pid=pid, parent=1, uid=uid, state=state, name=name, rss=rss, words=words, path=path)


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
