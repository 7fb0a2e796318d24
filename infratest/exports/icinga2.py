"""`icinga2`: hosts, a service for each scenario on each host, and dependencies, for Icinga 2.

Icinga starts programs without a shell. Texts stand in its language as strings; in those that are a command's, `$`
begins a macro and is written twice, also in what a macro is replaced by, for that is looked through again. Source:
Icinga 2's documentation "Language Reference", "Object Types" and "Monitoring Basics: Runtime Macros".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.exports._http import Api
from infratest.exports._machine import Machine
from infratest.exports.base import (
    REACHABLE,
    Export,
    Left,
    Live,
    Plugin,
    Watch,
    What,
    Written,
    names_of,
    not_in_a_row,
    number,
    object_name,
    one_line,
)
from infratest.hosts import Host
from infratest.plan.tasks import NO_HOST
from infratest.states import CRITICAL, OK

#: `!` parts a host's name from a service's; `$` in a name would begin a macro where a command of the user's has it.
FORBIDDEN = "!$\\"
#: The service of the canary, seconds between two looks at it, and what its states are to Icinga.
CANARY, EVERY = "infratest-canary", "60"
SEEN = {0: OK, 2: CRITICAL}


@dataclass(frozen=True, kw_only=True)
class Options(Plugin):
    """How Icinga is set up."""

    verify: str = field(
        default="icinga2 daemon -C",
        metadata={"description": "What looks at Icinga's whole configuration, for `monitor up`; a command, no shell."},
    )
    api: str = field(
        default="https://127.0.0.1:5665", metadata={"description": "Icinga's API, as `monitor up` reaches it."}
    )
    ca: str = field(
        default="", metadata={"source": True, "description": "A file of the authority of the API's certificate."}
    )
    known_as: str = field(default="", metadata={"description": "The name in that certificate, where the URL has none."})
    user: str = field(default="root", metadata={"description": "An ApiUser who may ask for objects, and for actions."})
    password_file: str = field(default="", metadata={"source": True, "description": "A file with the user's password."})
    heal: bool = field(
        default=True,
        metadata={"description": "Whether scenarios that a heal rule is for get an event command that heals."},
    )


class Icinga2(Export, Live):
    """Objects of Icinga 2."""

    summary = "hosts, services, dependencies and event commands of Icinga 2"

    def write(self, what: What, folder: Path) -> Written:
        left = [*not_in_a_row(what), *self.options.uncounted(what, self.options.heal)]
        blocks = self._commands(what, folder)
        blocks += [_host(what, host) for host in what.hosts]
        if what.canary or any(watch.host == NO_HOST for watch in what.watches):
            blocks.append(_object("Host", what.stack_host, {"check_command": text("dummy")}, f"{what.name}-host"))
        known = names_of(what.watches)
        for watch in what.watches:
            blocks += [self._service(what, watch, left), *_dependencies(what, watch, known)]
        blocks += self._canary(what, folder)
        own = f"{what.name}-local.conf"
        return Written(
            {
                f"{what.name}.conf": self.heading(what, "//") + "\n".join(blocks),
                f"{what.name}.feature": REACHABLE,
                **what.canary_feature(folder),
            },
            {own: LOCAL.format(name=what.name)},
            left,
            f"include {folder}/*.conf in icinga2.conf; notifications and whatever else is yours stand in {own}",
        )

    def validate(self, files: Mapping[str, str], machine: Machine, deadline: Deadline) -> str:
        program = machine.found("icinga2", package="icinga2-bin")
        names = ("DataDir", "LogDir", "CacheDir", "InitRunDir", "SpoolDir")
        with machine.laid_out({**files, "icinga2.main": MAIN}, deadline) as folder:
            machine.done(["mkdir", *(f"{folder}/{name}" for name in names)], deadline)
            moved = [word for name in names for word in ("-D", f"{name}={folder}/{name}")]
            user, group = machine.owner()
            run_as = ["env", f"ICINGA2_USER={user}", f"ICINGA2_GROUP={group}"]
            words = [*run_as, program, "daemon", "-C", "-c", f"{folder}/icinga2.main", *moved]
            said = machine.done(words, deadline, folder)
        if "Finished validating the configuration file(s)" not in said:
            raise InfratestError(f"{program} says nothing that is understood of what was written: {said[-1000:]}")
        counts = {kind.rstrip("s"): count for count, kind in re.findall(r"Instantiated (\d+) (\w+)\.", said)}
        return f"icinga2 daemon -C takes it: {counts.get('Host', 0)} hosts, {counts.get('Service', 0)} services"

    def verify(self, machine: Machine, deadline: Deadline) -> None:
        machine.done(shlex.split(self.options.verify), deadline)

    def reload(self, machine: Machine, deadline: Deadline) -> None:
        self._api.ask("POST", "/v1/actions/restart-process", deadline, {})

    def turn(self, what: What, folder: Path, red: bool, machine: Machine, deadline: Deadline) -> None:
        if red:
            machine.put("", what.red(folder), deadline)
        else:
            machine.remove(what.red(folder), deadline)
        about = {"type": "Service", "service": f"{what.name}!{CANARY}", "force": True}
        # 404: it is not known yet, and looked at by itself once it is.
        self._api.ask("POST", "/v1/actions/reschedule-check", deadline, about, (200, 404))

    def sees(self, what: What, machine: Machine, deadline: Deadline) -> str:
        path = f"/v1/objects/services/{quote(f'{what.name}!{CANARY}', safe='')}?attrs=state&attrs=last_check"
        status, answer = self._api.ask("GET", path, deadline, accept=(200, 404))
        if status == 404:
            return ""
        try:
            seen = answer["results"][0]["attrs"]
            return SEEN.get(seen["state"], "") if seen["last_check"] > 0 else ""
        except (LookupError, TypeError):
            raise InfratestError(f"{self.options.api} says nothing that is understood of {CANARY}") from None

    @property
    def _api(self) -> Api:
        given = self.options
        return Api(given.api, given.ca, given.known_as, given.user, given.password_file)

    def _canary(self, what: What, folder: Path) -> list[str]:
        if not what.canary:
            return []
        about = {
            "host_name": text(what.stack_host), "check_command": text(f"{what.name}-canary"),
            "check_interval": EVERY, "retry_interval": EVERY, "max_check_attempts": "1", "enable_flapping": "false",
        }  # fmt: skip
        words = self.options.canary(what, folder)
        return [
            _command("CheckCommand", f"{what.name}-canary", words, {}, self.options.limit),
            _object("Service", CANARY, about, f"{what.name}-service"),
        ]

    def _commands(self, what: What, folder: Path) -> list[str]:
        words = self.options.words(what)
        scenario = {
            "-H": {"value": text("$infratest_host$")},
            "-s": {"value": text("$infratest_scenario$")},
            "--": {"value": text("$infratest_feature$"), "order": "1"},
        }
        reachable = {
            "-H": {"value": text("$infratest_host$")},
            "-s": {"value": text("reachable")},
            "--": {"value": text(without_macros(str(folder / f"{what.name}.feature"))), "order": "1"},
        }
        suppressed = {"--suppressed": {"value": text("$host.downtime_depth$$service.downtime_depth$"), "order": "-1"}}
        made = [
            _command("CheckCommand", what.name, words, scenario, self.options.limit),
            _command("CheckCommand", f"{what.name}-reachable", words, reachable, self.options.limit),
        ]
        if self.options.heal and any(watch.heals for watch in what.watches):
            made.append(
                _command(
                    "EventCommand", f"{what.name}-heal", [*words, "--heal"], suppressed | scenario, self.options.limit
                )
            )
        return made

    def _service(self, what: What, watch: Watch, left: list[Left]) -> str:
        policy = watch.policy
        title = watch.title
        if "$" in title or not title.isprintable():
            left.append(Left(watch.id, "its title stays out: it holds what would be a macro of Icinga"))
            title = ""
        host = {} if watch.host == NO_HOST else {"vars.infratest_host": text(without_macros(watch.host))}
        about = {
            "host_name": text(_on(what, watch)),
            "display_name": text(title) if title else "",
            "check_command": text(what.name),
            "check_interval": number(policy.interval),
            "retry_interval": number(policy.retry),
            "max_check_attempts": str(policy.attempts.failures),
            "enable_flapping": "false" if policy.flap is None else "true",
            "notes_url": text(without_macros(watch.runbook)) if watch.runbook else "",
            "event_command": text(f"{what.name}-heal") if watch.heals and self.options.heal else "",
            **host,
            "vars.infratest_scenario": text(without_macros(watch.slug)),
            "vars.infratest_feature": text(without_macros(watch.file)),
        }
        return _object("Service", object_name(watch.name, "Icinga", FORBIDDEN), about, f"{what.name}-service")


def text(words: str) -> str:
    """Return text as a string of Icinga's language. Raises UserError: it holds what ends lines or moves cursors."""
    return '"' + one_line(words, "the text").replace("\\", "\\\\").replace('"', '\\"') + '"'


def without_macros(words: str) -> str:
    """Return text that is itself once Icinga has replaced its macros."""
    return words.replace("$", "$$")


def _object(kind: str, name: str, about: Mapping[str, str], template: str = "") -> str:
    """Return an object; each attribute has a line of its own, or Icinga does not take it."""
    lines = [f"  {key} = {value}\n" for key, value in about.items() if value]
    own = f"  import {text(template)}\n" if template else ""
    return f"object {kind} {text(name)} {{\n{own}{''.join(lines)}}}\n"


def _command(
    kind: str, name: str, words: Sequence[str], arguments: Mapping[str, Mapping[str, str]], limit: float
) -> str:
    listed = ", ".join(text(without_macros(word)) for word in words)
    inside = ""
    for key, each in arguments.items():
        lines = "".join(f"      {name} = {value}\n" for name, value in each.items())
        inside += f"    {text(key)} = {{\n{lines}    }}\n"
    # Its own end comes after the program's, which says what it waited for.
    about = {"command": f"[ {listed} ]", "timeout": number(limit + 10), "arguments": f"{{\n{inside}  }}"}
    return _object(kind, name, about)


def _host(what: What, host: Host) -> str:
    policy = what.chosen(host.name)
    about = {
        "address": text(without_macros(host.address or host.name)),
        "check_command": text(f"{what.name}-reachable"),
        "check_interval": number(policy.interval),
        "retry_interval": number(policy.retry),
        "max_check_attempts": str(policy.attempts.failures),
        "vars.infratest_host": text(without_macros(host.name)),
        "vars.infratest_groups": f"[ {', '.join(text(without_macros(group)) for group in host.groups)} ]",
    }
    return _object("Host", object_name(host.name, "Icinga", FORBIDDEN), about, f"{what.name}-host")


def _on(what: What, watch: Watch) -> str:
    return what.name if watch.host == NO_HOST else watch.host


def _dependencies(what: What, watch: Watch, known: Mapping[str, Watch]) -> list[str]:
    return [
        _object(
            "Dependency",
            f"infratest-needs-{place}",
            {
                "parent_host_name": text(_on(what, known[need])),
                "parent_service_name": text(known[need].name),
                "child_host_name": text(_on(what, watch)),
                "child_service_name": text(watch.name),
                "states": "[ OK, Warning ]",
                "disable_checks": "true",
                "disable_notifications": "true",
            },
        )
        for place, need in enumerate(watch.needs, 1)
    ]


LOCAL = """/* Yours: `infratest monitor export icinga2` writes it once and never again. */
template Host "{name}-host" {{
  /* vars.notification.mail = {{ groups = [ "icingaadmins" ] }} */
}}
template Service "{name}-service" {{
  /* vars.notification.mail = {{ groups = [ "icingaadmins" ] }} */
}}
"""
MAIN = """const NodeName = "localhost"
const ZoneName = NodeName
include <itl>
object Endpoint NodeName { }
object Zone ZoneName {
  endpoints = [ NodeName ]
}
include "*.conf"
"""
