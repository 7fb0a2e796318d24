"""A real Mosquitto that keeps what is told to it: a port that lets all in, one that wants a login, one of nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from paho.mqtt.publish import multiple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, quoted, soon
from tests.worlds import servers, tls_servers

VIEWPOINTS = ("", " from the host")
#: Topic -> the message that is kept under it; the first thousand bytes of one are looked at.
KEPT: dict[str, str | None] = {
    "site/door": "closed", "site/people": "12 in all", "site/below": "-3", "site/odd": 'a"b c', "site/empty": " ",
    "site/long": "x" * 2000, "site/gone": None,
}  # fmt: skip
NUMBERS: dict[str, int | str] = {
    "site/people": 12, "site/door": UNKNOWN, "site/empty": UNKNOWN, "site/gone": ABSENT
}  # fmt: skip
VALUES = ("closed", "open", "Closed", "12", "12 in all", "-3", 'a"b c', " ", "", "x" * 2000, "x" * 999, "xy")
#: Who asks which port, and whether that one lets them in.
LOGINS: dict[tuple[str, str], bool | str] = {
    ("", "plain"): True, ("monitor:{param.password}@", "locked"): True, ("monitor:{param.password}@", "down"): False,
    ("", "locked"): UNKNOWN, ("monitor:{param.ldap}@", "locked"): UNKNOWN,
    ("nosuch:{param.password}@", "locked"): UNKNOWN,
}  # fmt: skip


class Objects(NamedTuple):
    """Ports, and what keeps the broker alive."""

    plain: int
    locked: int
    down: int
    alive: ExitStack


NOWHERE = Objects(1, 1, 1, ExitStack())


def objects(place: Path) -> Objects:
    """Start the broker, and have it keep what is to be kept."""
    alive = ExitStack()
    plain, locked = alive.enter_context(servers.mosquitto())
    kept = [{"topic": name, "payload": text, "retain": True, "qos": 1} for name, text in KEPT.items() if text]
    multiple([*kept, {"topic": "site/gone", "payload": "now", "qos": 1}], "127.0.0.1", plain)
    return Objects(plain, locked, tls_servers.free_port(), alive)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of MQTT, from each viewpoint."""
    for view in VIEWPOINTS:
        for (login, name), there in LOGINS.items():
            url, about = f"mqtt://{login}127.0.0.1:{getattr(objects, name)}", f"{name} {login}"
            start = f'the MQTT broker "{url}"'
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, about)
            yield from soon(f"{start} answers in {{}}", there, about, view)
            yield from soon(f'{start} delivers a message below "oracle" in {{}}', there or ABSENT, about, view)
            for topic, text in KEPT.items():
                yield from _kept(f'the topic "{topic}" of "{url}"', text, there, f"{about} {topic}", view)
            for topic, number in NUMBERS.items():
                known = number if there is True else there or ABSENT
                yield from bounds(f'the topic "{topic}" of "{url}" is {{}}', known, f"{about} {topic}", tail=view)


def _kept(start: str, text: str | None, there: bool | str, about: str, view: str) -> Iterator[Question]:
    # Of a broker that does not answer nobody knows what it keeps.
    truth = text is not None if there is True else there or ABSENT
    yield from both(f"{start} has a message{view}", f"{start} has no message{view}", truth, about)
    for value in VALUES if there is True else VALUES[:1]:
        if text is None or there is not True:
            right: bool | str = ABSENT if there is True else there or ABSENT
        elif len(text) > 1000 and value.startswith(text[:1000]):
            right = UNKNOWN  # what is looked at does not tell them apart
        else:
            right = value == text
        yield from both(f"{start} is {quoted(value)}{view}", f"{start} is not {quoted(value)}{view}", right, about)
