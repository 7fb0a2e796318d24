"""The steps of a scenario that are one session: each page is asked for by all of them, and knows how many come before.

Pure; called by the planner, and by what carries out scenarios with steps of the user's own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from infratest.check import CONTROLLER, LOOK, STEP, Check
from infratest.errors import UserError
from infratest.facts._session_step import KEPT, MOST, OPEN
from infratest.gherkin.sentence import ALL
from infratest.plan.tasks import ActStep, CheckStep, Step


def in_sessions(steps: Sequence[Step], path: str) -> tuple[Step, ...]:
    """Return the steps of a task, those of its session with all of it.

    Args:
        path: of the feature, for messages.
    Raises:
        UserError: something is done after the session has begun, or a step of it is asked of several hosts.
    """
    if not any(_of_session(step) for step in steps):
        return tuple(steps)
    chain = _chain(steps, path)
    texts, place, patience = tuple(_text(step) for step in chain), 0, 0.0
    made: list[Step] = []
    for step in steps:
        if isinstance(step, CheckStep) and _of_session(step):
            place += _check(step).in_session == STEP
            patience = max(patience, step.tail.within or 0.0)
            made.append(placed(step, texts, place, chain[:place], patience))
        else:
            made.append(step)
    return tuple(made)


def _chain(steps: Sequence[Step], path: str) -> list[CheckStep]:
    """Return the steps that a session consists of. Raises UserError, as `in_sessions`."""
    chain: list[CheckStep] = []
    for step in steps:
        where = f"{path}:{step.line.number}: '{step.line.text}'"
        if isinstance(step, ActStep) and chain:
            raise UserError(
                f"{where} changes something within a session, which is asked at its end: "
                "write it before the first page is opened"
            )
        if isinstance(step, CheckStep) and _of_session(step):
            _refuse_several(step, where)
            if _check(step).in_session == STEP:
                chain.append(step)
            elif not chain:
                raise UserError(f"{where}: no step before it opens a page")
    if chain:
        _refuse_many(chain, path)
    return chain


def placed(
    step: CheckStep, texts: tuple[str, ...], place: int, before: Sequence[CheckStep], patience: float = 0.0
) -> CheckStep:
    """Return a step as one of a session.

    Args:
        texts: all steps of the session. place: how many of them are done here. before: those. patience: seconds for
        which one before it is asked again: what comes after that one is, too.
    """
    look = step.looks[0]
    check = look.check.after(texts, place)
    if check.in_session == LOOK:
        names = [name for each in before if (name := getattr(_check(each), "label", ""))]
        check = check.changed(called=names[-1] if names else "")
    measure = look.measure if step.tail.named or look.measure is None else check.measure()
    tail = step.tail
    if patience and tail.during is None:
        tail = tail.changed(within=max(patience, tail.within or 0.0))
    return step.changed(looks=(look.changed(check=check, measure=measure),), tail=tail)


class Session:
    """The session of a scenario whose steps are not known before, for steps of the user's own may hold some.

    It is kept while the scenario goes on, so that no step is done twice.
    """

    def __init__(self) -> None:
        self._steps: list[CheckStep] = []
        self._name = ""

    def going_on(self, step: Step, path: str) -> Step:
        """Return a step as the next one of this session; one that belongs to none as it is.

        Args:
            path: of the feature, for messages.
        Raises:
            UserError: it cannot be the next one.
        """
        if isinstance(step, ActStep) and self._steps:
            # What has been seen is seen: a session that goes on after an act begins at its next opened page.
            self._steps, self._name = [], ""
        if not isinstance(step, CheckStep) or not _of_session(step):
            return step
        _chain([*self._steps, step], path)
        if _check(step).in_session == STEP:
            self._steps.append(step)
        texts = tuple(_text(each) for each in self._steps)
        again = step.tail.within is not None or step.tail.during is not None
        # What is asked again begins anew; a kept session would show the same page each time.
        return placed(step, texts if again else (self._kept(), *texts), len(texts), self._steps)

    def _kept(self) -> str:
        self._name = self._name or f"{KEPT} {os.urandom(8).hex()}"
        return self._name


def _of_session(step: Step) -> bool:
    return isinstance(step, CheckStep) and bool(_check(step).in_session)


def _check(step: CheckStep) -> Check:
    return step.looks[0].check


def _text(step: CheckStep) -> str:
    text: str = _check(step).text  # type: ignore[attr-defined]  # of steps/_page.py, which no plan imports
    return text


def _refuse_several(step: CheckStep, where: str) -> None:
    if len(step.looks) != 1 or step.tail.quantifier != ALL or step.tail.on:
        raise UserError(
            f"{where}: a session is one client's, and this is asked of several hosts; name the one host that is meant, "
            "as {host.web-1.address}, or let the scenario run on each host"
        )
    if step.looks[0].location != CONTROLLER:
        raise UserError(f"{where}: pages are opened from the controller alone; leave `from` out")
    if step.tail.during is not None and _check(step).in_session == STEP:
        raise UserError(f"{where}: a step is done once; leave `for` out")


def _refuse_many(chain: Sequence[CheckStep], path: str) -> None:
    first = chain[0]
    if getattr(_check(first), "does", "") != OPEN or "://" not in getattr(_check(first), "url", ""):
        raise UserError(
            f"{path}:{first.line.number}: '{first.line.text}': a session begins at a whole URL: "
            'the page "http://shop.example/" is opened'
        )
    if len(chain) > MOST:
        raise UserError(
            f"{path}:{chain[MOST].line.number}: a session has {MOST} steps at most, and this has {len(chain)}"
        )
