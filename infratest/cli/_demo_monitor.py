"""The demo's phase `monitor`: a resident monitor sees a fault, tells it once, is answered, and sees it end."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from math import ceil
from pathlib import Path
from typing import Any

import click

from infratest.cli._demo import Demo, Failed, demand, installed
from infratest.cli._demo_post import Post, post
from infratest.errors import InfratestError
from infratest.monitor.control import ask

#: Seconds that something is waited for, and between two looks at it.
PATIENCE, BETWEEN = 60.0, 0.1
#: Seconds for a monitor to end by itself.
ENDING = 30.0
#: Where the stack file has its receiver listen, until the demo's own server has its port.
PLACE = "127.0.0.1:2525"
Known = Mapping[str, Any]
#: Failures that confirm, a second apart, as the stack file has it.
ATTEMPTS = 3
HOST, ID = "web-1", "features/web.feature#nginx-is-there@web-1"


class _Watched:
    """A monitor that runs beside the story."""

    def __init__(self, demo: Demo, process: subprocess.Popen[bytes], log: Path) -> None:
        self.demo, self.process, self.log = demo, process, log
        session = demo.session()
        self._state, self._place = session.state.path, session.stack.place

    def until(self, holds: Callable[[Known], object], what: str) -> Known:
        """Wait until something holds of what it knows of the result that is broken, and return that very answer.

        Raises:
            Failed: it does not hold within PATIENCE, or the monitor has ended.
        """
        end = time.monotonic() + PATIENCE
        while not ((known := self._now()) and holds(known)):
            if self.process.poll() is not None:
                raise Failed(f"the monitor ended by itself, exit {self.process.returncode}: {self.said()}")
            if time.monotonic() > end:
                raise Failed(f"{what}: not within {PATIENCE:.0f} s")
            time.sleep(BETWEEN)
        return known

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace").strip()[-500:]

    def _now(self) -> Known:
        """Return what it knows just now; nothing where it does not answer."""
        try:
            answer: Known = ask(self._state, {"word": "result", "place": self._place, "id": ID})["answer"]
        except InfratestError:
            return {}
        return answer

    def ended(self, seconds: float = ENDING) -> bool:
        """Wait for it to end, by looking: a signal that comes while one waits in Popen may leave its lock taken."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            time.sleep(BETWEEN / 2)
        return self.process.poll() is not None


@contextmanager
def _running(demo: Demo) -> Iterator[_Watched]:
    """Have `infratest monitor run` beside the story; it is ended whatever happens."""
    log = demo.stack.parent / "monitor.log"
    demo.typed(f"infratest monitor run >{log.name} 2>&1 &")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [installed("infratest"), "monitor", "run"],
            cwd=demo.stack.parent, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    watched = _Watched(demo, process, log)
    try:
        yield watched
    finally:
        if process.poll() is None:
            process.terminate()
            if not watched.ended():
                process.kill()
                watched.ended()


def monitor(demo: Demo) -> None:
    """a resident one: soft, hard, one mail, somebody has it, downtime, recovery"""
    with post() as office:
        demo.changed(demo.stack, PLACE, f"127.0.0.1:{office.port}")
        if (slow := ceil(1.5 * demo.last) + 1) > ATTEMPTS:  # not confirmed until a command has asked about it
            demo.changed(demo.stack, f"attempts: {ATTEMPTS} ", f"attempts: {slow} ")
        click.echo(f"an SMTP server (aiosmtpd) listens on 127.0.0.1:{office.port}")
        with _running(demo) as watched:
            watched.until(lambda known: known["seen"] == "ok", "the monitor has looked")
            demand("watching shop: 17 results" in watched.said(), "it watches 17 results, and has looked: all is well")
            _red(demo, watched, office)
            _answered(demo)
            _over(demo, watched)
            demo.typed("kill %1")
            watched.process.terminate()
            demand(watched.ended() and watched.process.returncode == 0, "the monitor ends by itself, exit 0")
        came = len(office.letters)
        demand(came == 1, "one mail, from the fault to the end" + (f"; but {came} came" if came != 1 else ""))


def _red(demo: Demo, watched: _Watched, office: Post) -> None:
    """The fault: not confirmed at first, and nobody is told; then a problem, and one mail of it."""
    demo.run("run", HOST, "pkill -KILL nginx")
    soft = watched.until(lambda known: known["soft"] and known["seen"] == "critical", "the monitor sees the failure")
    demo.run("monitor", "explain", ID, only=("looked at", "told: "))
    demand((soft["state"], soft["told"]) == ("ok", []),
           f"soft: {soft['failures']} failures in a row, which confirm nothing yet, and nobody is told")  # fmt: skip
    watched.until(lambda known: known["state"] == "critical", "the monitor confirms the failure")
    watched.until(lambda known: office.letters and known["told"] and not known["told"][0]["on_its_way"], "the mail")
    said = demo.run("monitor", "explain", ID, only=("looked at", "ops: "))
    demand(said.startswith("critical ") and "seen critical; failures " in said, "hard: so many failures confirm")
    demand("ops: problem critical, delivered" in said, "who was told, when, and by which line of the stack file")
    letter = office.letters[0]
    _show(letter)
    subject = str(letter["Subject"])
    demand(subject.startswith("CRITICAL: nginx is there on web-1 (shop)"),
           "one mail, of the cause: the two scenarios that need it are no problems of their own")  # fmt: skip


def _show(letter: EmailMessage) -> None:
    body = str(letter.get_content())
    reason = next((line for line in body.splitlines() if "nginx" in line and "CRITICAL" not in line), "")
    click.echo(f"  To: {letter['To']}\n  Subject: {letter['Subject']}\n  {reason}")


def _answered(demo: Demo) -> None:
    """Somebody says that he has it, and that the host is worked on."""
    demo.run("monitor", "ack", ID, "--comment", "I look at it")
    said = demo.run("monitor", "explain", ID, only=(" has it ", "nobody is told now"))
    demand("nobody is told now: acknowledged by" in said, "acknowledged: nobody is told of it again")
    demo.run("monitor", "downtime", "add", "repair", "--host", HOST, "--for", "10min", "--comment", "nginx is mended")
    said = demo.run("monitor", "explain", ID, only=("nobody is told now",))
    demand("nobody is told now: downtime 'repair'" in said, "downtime: all of the host is silent")


def _over(demo: Demo, watched: _Watched) -> None:
    """It is mended, and the monitor sees that; the silence ends, and there is nothing to tell."""
    demo.run("run", HOST, "systemctl start nginx")
    watched.until(lambda known: known["state"] == "ok" and not known["soft"], "the monitor sees the recovery")
    demo.run("monitor", "downtime", "end", "repair")
    said = demo.run("monitor", "explain", ID, only=("looked at", "ops: "))
    demand(said.startswith("ok ") and " has it " not in said, "recovered: what was acknowledged is over")
