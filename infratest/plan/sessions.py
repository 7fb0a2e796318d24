"""The steps of a scenario that are one session: each page is asked for by all of them, and knows how many come before.

Pure; called by the planner, and by what carries out scenarios with steps of the user's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.check import CONTROLLER, LOOK, STEP, Check
from infratest.errors import UserError
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
        where = f"{path}:{step.line.number}: {step.line.text!r}"
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


def is_step(step: Step) -> bool:
    """Whether a step is one that a session goes on by."""
    return isinstance(step, CheckStep) and _check(step).in_session == STEP


def text_of(step: CheckStep) -> str:
    """Return a step of a session as the fact is asked for it."""
    return _text(step)


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
    from infratest.facts.page import MOST, OPEN

    first = chain[0]
    if getattr(_check(first), "does", "") != OPEN or "://" not in getattr(_check(first), "url", ""):
        raise UserError(
            f"{path}:{first.line.number}: {first.line.text!r}: a session begins at a whole URL: "
            'the page "http://shop.example/" is opened'
        )
    if len(chain) > MOST:
        raise UserError(
            f"{path}:{chain[MOST].line.number}: a session has {MOST} steps at most, and this has {len(chain)}"
        )
