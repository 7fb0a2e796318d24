"""Which hosts a scenario is about, where several sentences add up; and what is done to a host as a whole."""

from __future__ import annotations

from infratest.gherkin.selection import Group, Named, Where
from infratest.gherkin.sentence import act, setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.reboot import RebootAct


@setup('the hosts in group "{name}"', example='the hosts in group "web"')
def hosts_in_group(name: str) -> Group:
    """The hosts of one group of the stack file."""
    return Group(name)


@setup('the host "{name}"', example='the host "db"')
def host_named(name: str) -> Named:
    """One host by its name."""
    return Named(name)


@setup('the hosts where "{labels}"', example='the hosts where "role=web and env=prod"')
def hosts_where(labels: str) -> Where:
    """The hosts with these labels, names and groups: name=value, !=, and, or, not, parentheses, `*` in values."""
    return Where(labels)


@act("the host is rebooted", example="the host is rebooted", undo="nothing to undo")
def host_is_rebooted() -> RebootAct:
    """Reboot, and go on once the host answers again."""
    from infratest.acts.reboot import RebootAct  # most scenarios do not act

    return RebootAct()
