"""`tell:` of a stack file as routes: which results each rule is for, compiled; and rules that are for none. Pure.

The language is that of hosts (`selector`), with what a result has beside its host:

    state=critical          critical, unknown or warning; who was told of a problem is told of its end
    env=prod                the environment
    tag=web                 a tag of the scenario
    id=features/web.*#*     the result's id, with or without its `@HOST`
    label.team=web          a label of the host, where its name is one of those above
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from infratest.alerting.ledger import PROBLEM
from infratest.alerting.owed import Route
from infratest.alerting.subject import ITSELF, Subject
from infratest.errors import UserError
from infratest.selector import Name, Selectable, compiled
from infratest.stack.monitor import Rule
from infratest.states import CRITICAL, UNKNOWN, WARNING

#: The states that a problem may be in.
STATES = (CRITICAL, UNKNOWN, WARNING)


@dataclass(frozen=True)
class Scope:
    """What rules are for.

    Args:
        subjects: all that is watched; how the monitor itself is need not be among it. hosts: of the stack, for their
        names: of some nothing may be watched. env: the environment, empty where the stack has none. environments: all
        of them.
    """

    subjects: Sequence[Subject]
    hosts: Sequence[Selectable] = ()
    env: str = ""
    environments: Sequence[str] = ()

    @property
    def every(self) -> list[Subject]:
        """All that there can be a problem with: how the monitor itself is, too, long before anything is wrong."""
        given = {each.id for each in self.subjects}
        return [*self.subjects, *(Subject(id, looked_at=False) for id in ITSELF if id not in given)]


@dataclass(frozen=True, slots=True)
class _Case:
    """What a rule is asked about: a subject in a state, in an environment. It is chosen as its host is."""

    subject: Subject
    state: str
    env: str

    @property
    def name(self) -> str:
        return self.subject.host

    @property
    def groups(self) -> Sequence[str]:
        return self.subject.groups

    @property
    def labels(self) -> Mapping[str, str]:
        return self.subject.labels


def routes(rules: Sequence[Rule], scope: Scope) -> list[Route]:
    """Return the rules of `tell:` as routes, in their order.

    Raises:
        UserError: expressions cannot be read, or name what there is not: each with its file and line, one a line.
    """
    names = _names(scope)
    made, problems = [], []
    for rule in rules:
        try:
            chooses = _chooses(rule, scope, names)
        except UserError as error:
            problems.append(f"{rule.where}: {error}{_of_label(rule, scope)}")
            continue
        on = Route.on if rule.on is None else frozenset(rule.on)
        made.append(Route(_in(scope.env, chooses), rule.to, rule.after, rule.again, on, rule.stop, _name(rule)))
    if problems:
        raise UserError("\n".join(problems))
    return made


def _name(rule: Rule) -> str:
    """Return a rule's place in its file: its own, and not that of its `when`."""
    return rule.where.removesuffix(".when")


def idle(rules: Sequence[Rule], scope: Scope) -> list[str]:
    """Return each rule that tells nobody of anything, with its file and line: it would never be missed.

    One is for no result, whatever the state and the environment; or all that it is for is taken by rules before it.

    Raises:
        UserError: as `routes`.
    """
    names = _names(scope)
    every = [_chooses(rule, scope, names) for rule in rules]
    problems = []
    for place, rule in enumerate(rules):
        before = [other for other in range(place) if rules[other].stop]
        stopping: dict[int, None] = {}
        for case in filter(every[place], _cases(scope)):
            first = next((other for other in before if every[other](case)), None)
            if first is None:
                break
            stopping[first] = None
        else:
            problems.append(f"{rule.where}: {_why_idle([rules[other] for other in stopping])}")
    return problems


def unheard(rules: Sequence[Rule], scope: Scope, results: Mapping[str, Sequence[Subject]]) -> str:
    """Return of how many results no rule tells anybody, in any environment; empty where it is of none.

    That may be meant, and is no mistake by itself.

    Args:
        results: by each state that is asked about, those that can be in it.
    Raises:
        UserError: as `routes`.
    """
    names = _names(scope)
    every = [(rule, _chooses(rule, scope, names)) for rule in rules]
    found = {
        state: [each.id for each in those if not any(_told(every, case) for case in _in_each(each, state, scope))]
        for state, those in results.items()
    }
    return " or ".join(
        f"{len(ids)} of {len(results[state])} results become {state}, such as {ids[0]}"
        for state, ids in found.items()
        if ids
    )


def _told(every: Sequence[tuple[Rule, Callable[[_Case], bool]]], case: _Case) -> bool:
    """Whether a rule tells anybody that a problem is there."""
    for rule, chooses in every:
        if chooses(case):
            if rule.on is None or PROBLEM in rule.on:
                return True
            if rule.stop:
                return False
    return False


def _in_each(subject: Subject, state: str, scope: Scope) -> Iterator[_Case]:
    return (_Case(subject, state, env) for env in scope.environments or ("",))


def _why_idle(stopping: Sequence[Rule]) -> str:
    if not stopping:
        return "it is for no result that there can be; mend it, or remove the rule"
    places = ", ".join(rule.where for rule in stopping)
    return f"whatever it is for ends at a rule before it with `stop: true` ({places}); put it before that one"


def _cases(scope: Scope) -> Iterator[_Case]:
    for subject, state in product(scope.every, STATES):
        yield from _in_each(subject, state, scope)


def _chooses(rule: Rule, scope: Scope, names: Mapping[str, Name]) -> Callable[[_Case], bool]:
    if not rule.when:
        return lambda case: True
    hosts = {subject.host: _Case(subject, "", "") for subject in scope.every}
    return compiled(rule.when, [*hosts.values(), *scope.hosts], names)


def _in(env: str, chooses: Callable[[_Case], bool]) -> Callable[[Subject, str], bool]:
    return lambda subject, state: chooses(_Case(subject, state, env))


def _names(scope: Scope) -> dict[str, Name]:
    """Return what may stand before `=`, beside the labels of hosts by their own names."""
    ids = [each for subject in scope.every for each in _ids(subject)]
    tags = {tag for subject in scope.subjects for tag in subject.tags}
    names = {
        "state": Name(lambda case: (case.state,), STATES),
        "env": Name(lambda case: (case.env,), scope.environments),
        "tag": Name(lambda case: case.subject.tags, tags),
        "id": Name(lambda case: _ids(case.subject), dict.fromkeys(ids)),
    }
    values: dict[str, set[str]] = {}
    for bearer in (*scope.subjects, *scope.hosts):
        for label, value in bearer.labels.items():
            values.setdefault(label, set()).add(value)
    return names | {f"label.{label}": _label(label, known) for label, known in values.items()}


def _label(label: str, known: set[str]) -> Name:
    return Name(lambda case: (case.labels[label],) if label in case.labels else (), known)


def _ids(subject: Subject) -> tuple[str, str]:
    return subject.id, subject.id.rpartition("@")[0]


def _of_label(rule: Rule, scope: Scope) -> str:
    """Return how a host's label is written whose name means something else here, where one may be meant."""
    labels = {label for bearer in (*scope.subjects, *scope.hosts) for label in bearer.labels}
    meant = [name for name in ("state", "env", "tag", "id") if name in labels and f"{name}=" in rule.when]
    return "".join(f"; a host's own label {name} is written label.{name}" for name in meant)
