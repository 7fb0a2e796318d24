"""Programs under a real supervisord, which this world alone has; held against its own interface, XML-RPC."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, quoted

CONFIGURATION = """
[unix_http_server]
file=/run/supervisor.sock
[supervisord]
logfile=/run/supervisord.log
pidfile=/run/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///run/supervisor.sock
[program:works]
command=sleep infinity
startsecs=0
[program:idle]
command=sleep infinity
autostart=false
[program:fails]
command=false
startretries=0
[program:done]
command=true
startsecs=0
autorestart=false
[program:many]
command=sleep infinity
startsecs=0
process_name=%(program_name)s_%(process_num)02d
numprocs=2
[program:mixed]
command=/bin/sh -c "exec sleep infinity"
startsecs=0
[program:broken]
command=/no/such/program
startretries=0
[program:resting]
command=sleep infinity
autostart=false
process_name=%(program_name)s_%(process_num)02d
numprocs=2
[group:together]
programs=mixed,broken
"""
#: Of a group in which some run it is neither so that it runs nor that it does not.
RUNNING: dict[str, bool | str] = {
    "works": True, "idle": False, "fails": False, "done": False, "many": True, "many:many_00": True,
    "many:many_02": False, "together": ABSENT, "resting": False, "together:mixed": True,
    "together:broken": False, "mixed": False, "nosuch": False, "work": False,
}  # fmt: skip


def objects(place: Path) -> None:
    """Start supervisord, and wait until each program is in its last state."""
    for program in ("supervisord", "supervisorctl"):
        (Path("/usr/local/bin") / program).symlink_to(Path(sys.executable).with_name(program))
    Path("/etc/supervisord.conf").write_text(CONFIGURATION)
    # With a loop of their own for its output: what it starts must not hold ours.
    subprocess.run(["supervisord"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    last = {
        "works": "RUNNING",
        "fails": "FATAL",
        "done": "EXITED",
        "together:broken": "FATAL",
        "many:many_01": "RUNNING",
    }
    assert wait_until(lambda: last.items() <= _states().items()), _states()


def _states() -> dict[str, str]:
    """Return the state of each process, asked in supervisord's own process by its client's library."""
    program = (
        "from supervisor.xmlrpc import SupervisorTransport; from xmlrpc.client import ServerProxy\n"
        "server = ServerProxy('http://x', SupervisorTransport(None, None, 'unix:///run/supervisor.sock'))\n"
        "for one in server.supervisor.getAllProcessInfo():\n"
        "    name = one['name'] if one['name'] == one['group'] else one['group'] + ':' + one['name']\n"
        "    print(name, one['statename'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return dict(line.split() for line in done.stdout.splitlines())


def questions(objects: None) -> Iterator[Question]:
    """Ask of each; its socket is root's alone."""
    for name, running in RUNNING.items():
        subject = f"the supervisor program {quoted(name)}"
        yield from both(f"{subject} is running", f"{subject} is not running", running, name, UNKNOWN)
