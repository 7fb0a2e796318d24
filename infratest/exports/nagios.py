"""`nagios`: hosts, a service for each scenario on each host, and dependencies, for Nagios 4 and Naemon.

What a service runs is `check_infratest -H HOST -s SCENARIO`. Command lines are run by a shell there, and `!`, `$` and
`;` have a meaning before that: each word is quoted for the shell first, then for Nagios. Contacts stay in a file of the
user's own. Source: Nagios 4's documentation "Object Definitions", and its xdata/xodtemplate.c and base/macros.c.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from urllib.parse import quote

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports._machine import Machine
from infratest.exports.base import (
    LONGEST_COMMAND,
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
from infratest.quoting import command_line
from infratest.states import CRITICAL, OK

#: What no name may hold (Debian's illegal_object_name_chars), what parts lists, and what begins a comment.
FORBIDDEN = "`~!$%^&*|'\"<>?,()=;\\"
#: The service of the canary, and seconds between two looks at it.
CANARY, EVERY = "infratest-canary", 60.0
#: What a block of the status file says of it.
SEEN = {OK: "current_state=0", CRITICAL: "current_state=2"}
#: Writes `$2` into the pipe `$1`, and into nothing else.
TELL = '[ -p "$1" ] || { echo "$1 is no pipe"; exit 1; }; printf "%s\\n" "$2" >"$1"'
#: What stands for no value at all.
NO_VALUES = ("null",)
#: What a text may not hold: commands of notifications put it into shell text.
UNSAFE = "`$&|'\"<>;\\"
#: What stays as it is in a URL.
OF_URLS = "/:?#[]@!*+,=&%~-._()"


@dataclass(frozen=True, kw_only=True)
class Options(Plugin):
    """How Nagios is set up."""

    interval_length: float = field(
        default=60.0,
        metadata={"dimension": "time", "above": 0, "description": "interval_length of nagios.cfg: what 1 stands for."},
    )
    config: str = field(
        default="/etc/nagios4/nagios.cfg",
        metadata={"description": "The main configuration file, for `monitor up`; with it, where the command file is."},
    )
    heal: bool = field(
        default=True,
        metadata={"description": "Whether scenarios that a heal rule is for get an event handler that heals."},
    )


class Nagios(Export, Live):
    """Objects of Nagios."""

    summary = "hosts, services, dependencies and event handlers of Nagios 4 and Naemon"

    def write(self, what: What, folder: Path) -> Written:
        left = [*not_in_a_row(what), *self.options.uncounted(what, self.options.heal)]
        blocks = [*self._commands(what, folder), *self._hosts(what), *_groups(what), *self._canary(what, folder)]
        known = names_of(what.watches)
        for watch in what.watches:
            blocks += [self._service(what, watch, left), *_dependencies(what, watch, known)]
        text = self.heading(what) + "\n".join(blocks)
        files = {f"{what.name}.cfg": text, f"{what.name}.feature": REACHABLE, **what.canary_feature(folder)}
        own = f"{what.name}-local.cfg"
        return Written(
            files,
            {own: LOCAL.format(name=what.name)},
            left,
            f"name {folder} by cfg_dir= in nagios.cfg; contacts and whatever else is yours stand in {own}",
        )

    def validate(self, files: Mapping[str, str], machine: Machine, deadline: Deadline) -> str:
        program = machine.found("nagios4", "nagios", "naemon", package="nagios4-core")
        with machine.laid_out({**files, "contact.cfg": SOMEBODY}, deadline) as folder:
            read = "".join(f"cfg_file={folder}/{name}\n" for name in [*files, "contact.cfg"] if name.endswith(".cfg"))
            user, group = machine.owner()
            machine.put(MAIN.format(folder=folder, user=user, group=group, read=read), f"{folder}/main.cfg", deadline)
            machine.done(["mkdir", f"{folder}/spool", f"{folder}/rw"], deadline)
            said = machine.done([program, "-v", f"{folder}/main.cfg"], deadline, folder)
        services = re.search(r"Checked (\d+) services", said)
        hosts = re.search(r"Checked (\d+) hosts", said)
        if not (services and hosts and re.search(r"Total Errors:\s+0\b", said)):
            raise InfratestError(f"{program} says nothing that is understood of what was written: {said[-1000:]}")
        return f"{Path(program).name} -v takes it: {hosts[1]} hosts, {services[1]} services"

    def verify(self, machine: Machine, deadline: Deadline) -> None:
        program = machine.found("nagios4", "nagios", "naemon", package="nagios4-core")
        machine.done([program, "-v", self.options.config], deadline)

    def reload(self, machine: Machine, deadline: Deadline) -> None:
        self._command(machine, deadline, "RESTART_PROGRAM")

    def turn(self, what: What, folder: Path, red: bool, machine: Machine, deadline: Deadline) -> None:
        if red:
            machine.put("", what.red(folder), deadline)
        else:
            machine.remove(what.red(folder), deadline)
        self._command(machine, deadline, "SCHEDULE_FORCED_SVC_CHECK", what.name, CANARY, str(int(time())))

    def sees(self, what: What, machine: Machine, deadline: Deadline) -> str:
        # Of thousands of services only the one is brought here.
        awk = ["awk", "-v", "RS=", f'index($0, "service_description={CANARY}") {{ print $0 "\\n" }}']
        said = machine.done([*awk, self._setting("status_file", machine, deadline)], deadline)
        for block in said.split("\n\n"):
            lines = block.replace("\t", "").split("\n")
            if f"host_name={what.name}" in lines and f"service_description={CANARY}" in lines:
                checked = "has_been_checked=1" in lines
                return next((state for state, line in SEEN.items() if checked and line in lines), "")
        return ""

    def _command(self, machine: Machine, deadline: Deadline, *words: str) -> None:
        """Write an external command; while Nagios restarts there is nobody who reads it."""
        pipe = self._setting("command_file", machine, deadline)
        line = f"[{int(time())}] {';'.join(words)}"
        status, said = machine.call(["timeout", "20", "sh", "-c", TELL, "sh", pipe, line], deadline)
        if status != 0:
            raise InfratestError(
                f"Nagios on {machine.name} takes no command by {pipe}: {said.strip() or 'nobody reads it'}; does it "
                "run, and does nagios.cfg say check_external_commands=1?"
            )

    def _setting(self, name: str, machine: Machine, deadline: Deadline) -> str:
        text = machine.read(self.options.config, deadline)
        found = re.findall(rf"^[ \t]*{name}[ \t]*=[ \t]*(\S.*?)[ \t]*$", text or "", re.MULTILINE)
        if not found:
            raise UserError(f"{self.options.config} on {machine.name} says no {name}=; name another by -o config=PATH")
        return str(found[-1])

    def _commands(self, what: What, folder: Path) -> list[str]:
        words = self.options.words(what)
        feature = ["-s", "reachable", "--", str(folder / f"{what.name}.feature")]
        healing = f"{shell_text([*words, '--heal'])} --suppressed '$HOSTDOWNTIME$$SERVICEDOWNTIME$' $ARG1$"
        return [
            _define("command", command_name=what.name, command_line=f"{shell_text(words)} $ARG1$"),
            _define(
                "command",
                command_name=f"{what.name}-reachable",
                command_line=f"{shell_text(words)} $ARG1$ {shell_text(feature)}",
            ),
            *(
                [_define("command", command_name=f"{what.name}-heal", command_line=healing)]
                if self._heals(what)
                else []
            ),
        ]

    def _heals(self, what: What) -> bool:
        return bool(self.options.heal) and any(watch.heals for watch in what.watches)

    def _hosts(self, what: What) -> list[str]:
        made = [self._host(what, host) for host in what.hosts]
        if what.canary or any(watch.host == NO_HOST for watch in what.watches):
            # Nobody looks at it: Nagios takes it for up.
            about = {"active_checks_enabled": "0", "max_check_attempts": "1"}
            made.append(_define("host", use=f"{what.name}-host", host_name=what.stack_host, address=what.name, **about))
        return made

    def _host(self, what: What, host: Host) -> str:
        policy = what.chosen(host.name)
        name = object_name(host.name, "Nagios", FORBIDDEN, NO_VALUES)
        return _define(
            "host",
            use=f"{what.name}-host",
            host_name=name,
            address=object_name(host.address or host.name, "Nagios", FORBIDDEN, NO_VALUES),
            check_command=f"{what.name}-reachable!{argument(['-H', host.name])}",
            check_interval=self._length(policy.interval),
            retry_interval=self._length(policy.retry),
            max_check_attempts=str(policy.attempts.failures),
        )

    def _canary(self, what: What, folder: Path) -> list[str]:
        if not what.canary:
            return []
        line = shell_text(self.options.canary(what, folder))
        return [
            _define("command", command_name=f"{what.name}-canary", command_line=line),
            _define(
                "service",
                use=f"{what.name}-service",
                host_name=what.stack_host,
                service_description=CANARY,
                check_command=f"{what.name}-canary",
                check_interval=self._length(EVERY),
                retry_interval=self._length(EVERY),
                max_check_attempts="1",
                flap_detection_enabled="0",
            ),
        ]

    def _service(self, what: What, watch: Watch, left: list[Left]) -> str:
        words = argument([*([] if watch.host == NO_HOST else ["-H", watch.host]), "-s", watch.slug, "--", watch.file])
        policy = watch.policy
        title = watch.title if watch.title != watch.name else ""
        if set(UNSAFE) & set(title) or not title.isprintable() or title != title.strip() or title in NO_VALUES:
            left.append(Left(watch.id, "its title stays out: it holds what commands of notifications could not quote"))
            title = ""
        return _define(
            "service",
            use=f"{what.name}-service",
            host_name=_on(what, watch),
            service_description=object_name(watch.name, "Nagios", FORBIDDEN, NO_VALUES),
            display_name=title,
            check_command=f"{what.name}!{words}",
            check_interval=self._length(policy.interval),
            retry_interval=self._length(policy.retry),
            max_check_attempts=str(policy.attempts.failures),
            flap_detection_enabled="0" if policy.flap is None else "",
            notes_url=url(watch.runbook),
            event_handler=f"{what.name}-heal!{words}" if watch.heals and self.options.heal else "",
        )

    def _length(self, seconds: float) -> str:
        return number(seconds / self.options.interval_length)


def shell_text(words: Sequence[str]) -> str:
    """Return words as they stand in a command_line: quoted for a shell, with no macro and no comment in them.

    Raises:
        UserError: one that no line can hold, or too many.
    """
    line = command_line([one_line(word, "the word of a command") for word in words])
    if len(line.encode()) > LONGEST_COMMAND:
        raise UserError(f"Nagios takes commands of at most {LONGEST_COMMAND} bytes; this has more: {line[:200]}...")
    return line.replace("$", "$$").replace(";", "\\;")


def argument(words: Sequence[str]) -> str:
    """Return words as they stand behind the `!` of a check_command, for one `$ARG1$`. Raises as `shell_text`."""
    return shell_text(words).replace("!", "\\!")


def url(text: str) -> str:
    """Return a URL with what a shell, a macro or a comment would take out of it percent-encoded."""
    return quote(text.encode("utf-8", "replace"), safe=OF_URLS)


def _define(kind: str, **about: str) -> str:
    lines = [f"    {key:<32}{value}\n" for key, value in about.items() if value]
    return f"define {kind} {{\n{''.join(lines)}}}\n"


def _on(what: What, watch: Watch) -> str:
    return what.name if watch.host == NO_HOST else object_name(watch.host, "Nagios", FORBIDDEN, NO_VALUES)


def _groups(what: What) -> list[str]:
    members: dict[str, list[str]] = {}
    for host in what.hosts:
        for group in host.groups:
            members.setdefault(group, []).append(host.name)
    return [
        _define(
            "hostgroup",
            hostgroup_name=f"{what.name}-{object_name(group, 'Nagios', FORBIDDEN, NO_VALUES)}",
            members=",".join(names),
        )
        for group, names in sorted(members.items())
    ]


def _dependencies(what: What, watch: Watch, known: Mapping[str, Watch]) -> list[str]:
    return [
        _define(
            "servicedependency",
            host_name=_on(what, known[need]),
            service_description=known[need].name,
            dependent_host_name=_on(what, watch),
            dependent_service_description=watch.name,
            execution_failure_criteria="u,c",
            notification_failure_criteria="u,c",
        )
        for need in watch.needs
    ]


LOCAL = """# Yours: `infratest monitor export nagios` writes it once and never again.
define host {{
    name                            {name}-host
    register                        0
    # contact_groups                admins
    # notification_interval         60
}}
define service {{
    name                            {name}-service
    register                        0
    # contact_groups                admins
    # notification_interval         60
}}
"""
#: Nagios checks nothing where it knows nobody to tell.
SOMEBODY = """define timeperiod {
    timeperiod_name                 infratest-validation
    alias                           never
}
define command {
    command_name                    infratest-validation
    command_line                    /bin/true
}
define contact {
    contact_name                    infratest-validation
    service_notification_commands   infratest-validation
    host_notification_commands      infratest-validation
    service_notification_period     infratest-validation
    host_notification_period        infratest-validation
}
"""
MAIN = """log_file={folder}/nagios.log
{read}object_cache_file={folder}/objects.cache
precached_object_file={folder}/objects.precache
status_file={folder}/status.dat
state_retention_file={folder}/retention.dat
command_file={folder}/rw/nagios.cmd
check_result_path={folder}/spool
temp_file={folder}/nagios.tmp
temp_path={folder}
lock_file={folder}/nagios.pid
query_socket={folder}/nagios.qh
use_syslog=0
nagios_user={user}
nagios_group={group}
check_for_updates=0
illegal_object_name_chars=`~!$%^&*|'"<>?,()=
illegal_macro_output_chars=`~$&|'"<>
"""
