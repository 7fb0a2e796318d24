"""What a scenario does to its hosts, after When. Without `on`, on every host given."""

from __future__ import annotations

from infratest.acts.command import CommandAct
from infratest.acts.process import KillAct
from infratest.acts.reboot import RebootAct
from infratest.acts.service import ServiceAct
from infratest.gherkin.sentence import act


@act(
    'the service "{name}" is stopped',
    example='the service "nginx" is stopped',
    undo="started again, if it was running",
)
def service_is_stopped(name: str) -> ServiceAct:
    """Stop a service."""
    return ServiceAct(name, "stop")


@act(
    'the service "{name}" is started',
    example='the service "nginx" is started',
    undo="stopped again, if it was not running",
)
def service_is_started(name: str) -> ServiceAct:
    """Start a service."""
    return ServiceAct(name, "start")


@act('the service "{name}" is restarted', example='the service "nginx" is restarted', undo="nothing to undo")
def service_is_restarted(name: str) -> ServiceAct:
    """Restart a service."""
    return ServiceAct(name, "restart")


@act('the process "{name}" is killed', example='the process "nginx" is killed', undo="cannot be undone")
def process_is_killed(name: str) -> KillAct:
    """Kill every process of that name at once (SIGKILL)."""
    return KillAct(name)


@act(
    'the command "{command}" is run',
    example='the command "nginx -s reload" is run',
    undo="cannot be undone",
    shell=("command",),
)
def command_is_run(command: str) -> CommandAct:
    """Run a command that changes something."""
    return CommandAct(command)


@act("the host is rebooted", example="the host is rebooted", undo="nothing to undo")
def host_is_rebooted() -> RebootAct:
    """Reboot, and go on once the host answers again."""
    return RebootAct()
