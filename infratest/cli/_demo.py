"""The phases of the demo, from `up` to the heal: what each one runs, and what must be so afterwards, seen by somebody
else than who did it. The monitor's are in `_demo_monitor`, those of drills in `_demo_drill`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import click

from infratest.deadline import Deadline
from infratest.engine.interrupts import Terminated
from infratest.errors import UserError
from infratest.hosts import Host
from infratest.project.session import Session
from infratest.quoting import quoted
from infratest.stack.open import open_hosts, open_provider, open_transport
from infratest.store.journal import Journal

FIGURES = "figures"
#: Seconds of one command of the story.
SECONDS = 600

#: What provisioning may not change the second time: packages, files' hashes, units, listening ports, users.
LOOK = r"""
dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n'
find /etc /usr/local /root /var/www /var/lib/nginx -xdev -type f ! -path '*/.ssh/*' -exec sha256sum {} + | sort -k 2
systemctl list-unit-files --no-legend --plain --state=enabled | sort
systemctl list-units --no-legend --plain --type=service,socket --state=active | awk '{print $1, $3}' | sort
ss -Hlntu | awk '{print $1, $5}' | sort
cut -d: -f1,3,4,7 /etc/passwd
"""


class Failed(Exception):
    """A phase did not end as it must."""


@dataclass
class Demo:
    """One run of the story.

    Args:
        private: a folder outside the project, for what is nobody else's; it is gone at the end.
        last: seconds that the newest command took: how slow this machine is just now.
    """

    stack: Path
    private: Path
    colour: bool = True
    times: dict[str, float] = field(default_factory=dict)
    cost: dict[str, int] = field(default_factory=dict)
    hosts: int = 0
    last: float = 0.0

    def title(self, words: str) -> None:
        click.echo()
        click.echo(click.style(f"── {words} ", bold=True) if self.colour else f"── {words}", color=self.colour)

    def took(self, phase: str, seconds: float) -> None:
        self.times[phase] = seconds
        click.echo(f"({phase}: {seconds:.1f} s)")

    def typed(self, line: str) -> None:
        """Show a command, as a user would type it."""
        click.echo(click.style(f"$ {line}", fg="cyan") if self.colour else f"$ {line}", color=self.colour)

    def run(
        self, *words: str, program: str = "infratest", expect: int = 0, shown: bool = False, only: Sequence[str] = ()
    ) -> str:
        """Run one of our programs and return what it printed on standard output.

        Args:
            expect: the exit status it must have. shown: let it write to the terminal itself (for its progress).
            only: of what it printed, show the first line and those that hold one of these; all without it.
        """
        self.typed(" ".join([program, *map(quoted, words)]))
        command, began = [installed(program), *words], time.monotonic()
        try:
            status, output = carried_out(command, self.stack.parent, captured=not shown)
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}; is infratest installed beside this Python?") from error
        except subprocess.TimeoutExpired:
            raise Failed(f"{program} {' '.join(words)}: took more than {SECONDS} s") from None
        self.last = time.monotonic() - began
        click.echo(_shortened(output, only) if only else output, nl=False)
        if status != expect:
            raise Failed(f"{program} {' '.join(words)}: exit {status}, it must be {expect}")
        return output

    def test(self, name: str, expect: int) -> dict[str, Any]:
        """Run the features and return the report, adding up what it cost."""
        path = self.stack.parent / f"{name}.json"
        self.run("test", "--format", "text", "--format", f"json:{path}", expect=expect)
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for what, count in report["cost"].items():
            self.cost[what] = self.cost.get(what, 0) + count
        return report

    def changed(self, path: Path, old: str, new: str) -> None:
        """Change a file of the project, as an editor would, and show the lines that are new."""
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise Failed(f"{path}: {old!r} is not in it")
        after = text.replace(old, new, 1)
        path.write_text(after, encoding="utf-8")
        click.echo(f"{path.relative_to(self.stack.parent)}:")
        for line in after.splitlines():
            if line not in text.splitlines():
                click.echo(f"  + {line.strip()}")

    def given_up(self) -> bool:
        """Remove what there is of the stack, and return whether nothing may be left of it."""
        try:
            status, _ = carried_out([sys.executable, "-m", "infratest", "destroy"], self.stack.parent, captured=False)
        except (OSError, subprocess.TimeoutExpired, KeyboardInterrupt):
            status = 1
        return status == 0 or not any(record["what"] == "asked" for record in Journal(self.session().state).records())

    def session(self) -> Session:
        return Session(stack_path=self.stack)

    def real_hosts(self) -> list[Host]:
        session = self.session()
        return open_hosts(session.stack, session.state, Deadline(30))

    def look(self) -> dict[str, list[str]]:
        """Return what is on each host, by our own look and not by the provisioner's word."""
        found = {}
        for host in self.real_hosts():
            transport = open_transport(host)
            transport.open(Deadline(20))
            try:
                answer = transport.run(["sh"], Deadline(60), LOOK.encode())
            finally:
                transport.close()
            found[host.name] = answer.stdout.decode("utf-8", "replace").splitlines()
        return found

    def figures(self, seconds: float) -> None:
        for phase, took in self.times.items():
            click.echo(f"{phase:>10} {took:7.1f} s")
        click.echo(f"{'all':>10} {seconds:7.1f} s")
        costs = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in self.cost.items())
        click.echo(f"{self.hosts} hosts; the test runs together: {costs}")


def installed_whole() -> None:
    """See that all is there that the story needs beside infratest, before anything is made. Raises UserError."""
    for module in ("aiosmtpd", "cryptography"):
        if find_spec(module) is None:
            raise UserError(f"the demo needs {module}, which is not installed here: pip install 'infratest[demo]'")


def installed(program: str) -> str:
    """Return our installed program of that name, beside the Python that runs us; any other by its name."""
    return str(Path(sys.executable).with_name(program)) if "infratest" in program else program


def _shortened(output: str, only: Sequence[str]) -> str:
    lines = output.splitlines(keepends=True)
    return "".join(line for line in lines if line is lines[0] or any(word in line for word in only))


def carried_out(command: Sequence[str], folder: Path, *, captured: bool) -> tuple[int, str]:
    """Run a program to its end, which it is given also when we are told to stop: it undoes what it began.

    Returns:
        Its status, and what it printed on standard output where that is captured.
    """
    stdout = subprocess.PIPE if captured else None
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, encoding="utf-8")
    ended: SimpleQueue[tuple[int, str]] = SimpleQueue()

    def wait() -> None:
        output, _ = process.communicate()
        ended.put((process.returncode, output or ""))

    # Signals raise in the main thread: one that comes while Popen waits there may leave its lock taken for ever.
    threading.Thread(target=wait, daemon=True).start()
    try:
        return ended.get(timeout=SECONDS)
    except Empty:
        process.kill()
        raise subprocess.TimeoutExpired(command, SECONDS) from None
    except KeyboardInterrupt as stop:
        if isinstance(stop, Terminated):  # Ctrl-C has reached it too, a signal to us alone has not
            process.terminate()
        with suppress(Empty):
            ended.get(timeout=SECONDS)
        raise


def demand(holds: bool, words: str) -> None:
    """Raise Failed where something is not as it must be."""
    if not holds:
        raise Failed(words)
    click.echo(f"  seen: {words}")


def up(demo: Demo) -> None:
    """three hosts in parallel, journalled, ready when a command over SSH answers"""
    demo.run("up", shown=True)
    for host in (hosts := demo.real_hosts()):
        transport = open_transport(host)
        transport.open(Deadline(20))
        answer = transport.run(["cat", "/proc/1/comm", "/proc/sys/kernel/hostname"], Deadline(10))
        transport.close()
        demand(answer.stdout.decode().split() == ["systemd", host.name], f"{host.name} runs systemd, at {host.address}")
    demo.hosts = len(hosts)
    demo.run("status")


def red(demo: Demo) -> None:
    """the features fail, and rightly: the image holds no nginx and no database"""
    report = demo.test("red", expect=2)
    told = {(result["host"], step["text"]): step for result in report["results"] for step in result["steps"]}
    for host in ("web-1", "web-2"):
        for text in (
            'the package "nginx-light" is installed',
            'the service "nginx" is running',
            "port 80 is listening",
        ):
            step = told[host, text]
            demand(step["state"] == "critical" and bool(step["evidence"]), f"{host}: {step['reason']}")


def provision(demo: Demo) -> None:
    """a database on db, nginx on web that answers with a value read from it; a second run changes nothing"""
    demo.run("provision", shown=True)
    before = demo.look()
    demo.run("provision", shown=True)
    after = demo.look()
    changed = [f"{host}: {line}" for host in before for line in sorted(set(before[host]) ^ set(after[host]))]
    lines = sum(map(len, before.values()))
    demand(lines > 300 and not changed, f"the second run changed none of {lines} packages, files, units, ports, users"
           + "".join(f"\n    {line}" for line in changed[:10]))  # fmt: skip


def green(demo: Demo) -> None:
    """the same features pass; one of their sentences reads through web to db"""
    report = demo.test("green", expect=0)
    through = [result for result in report["results"] if result["scenario"] == "the stock comes from the database"]
    demand(
        [result["state"] for result in through] == ["ok", "ok"], "both web hosts answer with what the database holds"
    )


def check(demo: Demo) -> None:
    """the same features as a Nagios check"""
    lines = demo.run(program="check_infratest").splitlines()
    demand(
        len(lines) == 1 and lines[0].startswith("INFRATEST OK - ") and " | " in lines[0], "one line, perfdata, exit 0"
    )


def break_(demo: Demo) -> None:
    """nginx is killed on one web host"""
    demo.run("run", "web-1", "pkill -KILL nginx")
    line = demo.run(program="check_infratest", expect=2).splitlines()[0]
    demand("CRITICAL" in line and "web-1" in line and '"nginx' in line, "the line names the host and the sentence")


def heal(demo: Demo) -> None:
    """fired by the check alone: two failures in a row confirm, and the last check saw the first"""
    line = demo.run("--heal", program="check_infratest").splitlines()[0]
    demand("healed: restart-service nginx, was CRITICAL" in line, "the second failure healed it, and the line says so")
    session = demo.session()
    acted = [record for record in session.state.read("heal.jsonl") if record.get("verified")]
    demand(len(acted) >= 1, f"on record: {_brief(acted)}")
    demo.run(program="check_infratest")


def destroy(demo: Demo) -> None:
    """nothing is left"""
    demo.run("destroy", shown=True)
    session = demo.session()
    left = [
        resource.name
        for resource in open_provider(session.stack, session.state).existing(Deadline(30))
        if resource.labels.get("infratest.state") == session.state.id
    ]
    demand(not left, "no container, network or volume is left" + (f" but {', '.join(left)}" if left else ""))
    demand(not Journal(session.state).live(), "the journal holds nothing as live")
    known = session.state.path / "known_hosts"
    demand(not known.exists() or not known.read_text(encoding="utf-8").strip(), "no host key is left")


def _brief(records: Sequence[dict[str, Any]]) -> str:
    return "; ".join(f"{record.get('rule')}: {record.get('command')}" for record in records)


#: What comes before the monitor.
BEFORE = (up, red, provision, green, check, break_, heal)
