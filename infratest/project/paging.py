"""The receivers of `monitor:` told by a heal that its ladder is at its end. Called by `infratest.project.heal`.

Beside the monitor's own notices, which go by its rules: a heal may run where no monitor does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import HealError, UnknownName, unknown
from infratest.heal.ladder import PAGE
from infratest.heal.means import Pager
from infratest.model import Result
from infratest.project.session import Session


def pager(session: Session) -> Pager | None:
    """Return what tells receivers of a result; None where the stack's monitor has none.

    Raises:
        UnknownName: a rule pages whom nobody declares.
    """
    monitor = session.stack.monitor
    receivers: Mapping[str, Any] = {} if monitor is None else monitor.receivers
    for rule in session.stack.heal:
        for name in _named(rule.do[-1]) if rule.do else ():
            if name not in receivers:
                raise UnknownName(f"{rule.where}: rule {rule.name}: page: {unknown('receiver', name, [*receivers])}")
    if monitor is None or not receivers:
        return None
    # One rule may be for one team alone: who is told of every result is told of this.
    always = tuple(dict.fromkeys(name for rule in monitor.tell if not rule.when for name in rule.to))

    def named(to: Sequence[str]) -> Sequence[str]:
        names = [*to] or [*always]
        if not names:
            raise HealError("`tell:` names nobody for every result: name receivers, as `page: oncall`")
        return names

    return Pager(
        receivers=named, deliver=lambda result, name, deadline: _deliver(session, receivers[name], result, deadline)
    )


def _named(rung: tuple[str, Any]) -> Sequence[str]:
    word, argument = rung
    if word != PAGE:
        return ()
    said = argument.get("to", ()) if isinstance(argument, Mapping) else argument
    return (said,) if isinstance(said, str) else tuple(said or ())


def _deliver(session: Session, entry: Any, result: Result, deadline: Deadline) -> str:
    from infratest.alerting.ledger import PROBLEM, Notice
    from infratest.receivers.base import Item, Message, opened

    stack, now = session.stack, time.time()
    receiver = opened({entry.kind: entry.options}, entry.where, stack.folder)
    # Another problem than the monitor's own: that one ends by itself when the scenario holds again.
    problem = f"{result.id}/heal"
    notice = Notice(entry.name, result.id, problem, now, 1, PROBLEM, result.state, reason=result.reason)
    item = Item(notice=notice, host=result.host, scenario=result.scenario, since=now)
    return receiver.deliver_once(Message(stack=stack.name, env=stack.env, sent=now, items=(item,)), deadline)
