"""What a drill's certificate binds, as it stands now; certificates written, and held against what stands now.

Called by `infratest drill --certify`, and where it is asked whether a rule is proven. What is bound is as declared in
the stack file for the environment that was drilled, so that another environment of the same stack can name its proof.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infratest import __version__
from infratest.errors import InfratestError, StateError, UserError
from infratest.gherkin.find import find
from infratest.heal import certificate as certificates
from infratest.heal import chain
from infratest.heal.certificate import Certificate, Figures
from infratest.heal.people import who
from infratest.heal.signing import Key
from infratest.lifecycle import provisioned
from infratest.outsiders import get
from infratest.project.session import Session
from infratest.provisioners.base import provisioners
from infratest.stack.declared import HealRule
from infratest.stack.file import declared
from infratest.stack.named import DEFAULTS, RESERVED
from infratest.store.journal import Journal

if TYPE_CHECKING:
    from infratest.project.drill import Outcome

#: What of a rule is proven; how far and how often it may act is no part of it.
OF_RULE = ("when", "confirm", "collect", "do", "neighbours")
#: Files of a folder that are looked at.
MANY = 10_000


def certifiable(session: Session) -> None:
    """See that the hosts are what a certificate would bind: provisioned with what the stack file and its scripts say.

    Raises:
        UserError: some are not, by the journal; of hosts that others made it knows nothing.
    """
    stack = session.stack
    records = Journal(session.state).records() if session.state.exists else []
    found = provisioned.behind(records, stack.name, stack.env, stack.hosts, stack.folder)
    if told := provisioned.lines(found, stack.env):
        raise UserError(f"--certify: {'; '.join(told)}: a certificate is of these scripts, as a drill has met them")


def certify(session: Session, slug: str, outcomes: Sequence[Outcome], key: Key, now: float) -> Path:
    """Write the certificate of a drill's runs into the project, and return where.

    Raises:
        UserError: what it binds cannot be read. StateError: it cannot be written.
    """
    stack = session.stack
    features = sorted({feature for one in outcomes for feature in one.watched})
    bound, details = bindings(session, outcomes[0].rule, stack.env, features)
    made = Certificate(
        drill=slug,
        rule=outcomes[0].rule,
        stack=stack.name,
        env=stack.env,
        time=now,
        by=who(),
        bound=bound,
        details=details,
        figures=Figures(
            runs=len(outcomes),
            red=tuple(round(one.red or 0.0, 3) for one in outcomes),
            green=tuple(round(one.green or 0.0, 3) for one in outcomes),
        ),
    )
    path = certificates.path_of(stack.folder, slug)
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(certificates.text(made, key))
    except OSError as error:
        raise StateError(f"{path} could not be written: {error.strerror}") from error
    return path


def proven(session: Session, rule: HealRule) -> tuple[bool, str]:
    """Return whether a rule is proven now, and why or why not; what cannot be looked at is not."""
    stack, proof = session.stack, rule.proof
    if proof is None:
        return False, "it has no `proof:`"
    env = proof.env or stack.env
    try:
        made = certificates.read(certificates.path_of(stack.folder, proof.drill), set(stack.trusted_keys.values()))
        features = [name.removeprefix("feature ") for name in made.details if name.startswith("feature ")]
        bound, details = bindings(session, rule.name, env, features)
        here, _ = bindings(session, rule.name, stack.env, features)
    except InfratestError as error:
        return False, f"not proven: {error}"
    holds, why = certificates.judged(
        made,
        drill=proof.drill,
        rule=rule.name,
        stack=stack.name,
        env=env,
        bound=bound,
        details=details,
        now=time.time(),
        valid=proof.valid,
        green_at_most=proof.green_at_most,
    )
    if holds and here["rule"] != made.bound["rule"]:
        return False, f"drill {proof.drill}: the rule is another one here than in the environment {env!r}"
    return holds, why


def bindings(session: Session, rule: str, env: str, features: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the digests that a certificate binds, as things stand, and of what each is made.

    Args:
        features: their paths, as ids name them.
    Raises:
        UserError: the stack file, or a feature, cannot be read.
    """
    stack = session.stack
    data = declared(stack.path, env)
    rules = data.get("heal", {})
    if rule not in rules or rule in RESERVED:
        raise UserError(f"rule {rule} is not in the environment {env!r}")
    details = {f"rule {rule}": _rule({**rules.get(DEFAULTS, {}), **rules[rule]}, stack.folder)}
    details |= _features(session, features)
    details |= _hosts(data, stack.folder)
    kinds = {"rule": "rule ", "features": "feature ", "provisioners": "provision ", "images": "image "}
    bound = {
        kind: _digest({name: one for name, one in details.items() if name.startswith(begin)})
        for kind, begin in kinds.items()
    }
    return bound | {"version": ".".join(__version__.split(".")[:2])}, details


def _rule(rule: Mapping[str, Any], folder: Path) -> str:
    said = {name: rule[name] for name in OF_RULE if name in rule}
    here = [rung for rung in said.get("do", ()) if not all(map(_on_host, rung))]
    return _digest({"said": said, "files": _files(here, folder)})


def _on_host(remedy: str) -> bool:
    """Whether a remedy is one that works on the host: the paths that it names are none of this machine's."""
    try:
        return bool(get("remedy", remedy).on_host)
    except (InfratestError, ImportError):
        return False


def _features(session: Session, features: Iterable[str]) -> dict[str, str]:
    stack = session.stack
    known = {file.name: file.path for file in find((), stack.features, stack.folder)}
    found = {}
    for name in features:
        path = known.get(name)
        try:
            found[f"feature {name}"] = chain.digest(path.read_bytes()) if path is not None else "gone"
        except OSError as error:
            raise UserError(f"feature {path}: {error.strerror}") from error
    return found


def _hosts(data: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return what hosts are made from and provisioned by, as declared, and the parameters that are put in there."""
    found = {
        "image provider": _digest(data.get("provider", "")),
        "provision parameters": _digest(data.get("parameters", {})),
        "provision components": _digest(data.get("components", {})),
    }
    for name, host in data.get("hosts", {}).items():
        entries = (host or {}).get("provision", ())
        found[f"provision {name}"] = _digest([_provision(entry, folder, name) for entry in entries])
        found[f"image {name}"] = _digest((host or {}).get("image", ""))
    return found


def _provision(entry: Mapping[str, Any], folder: Path, name: str) -> Any:
    try:
        read = [one.digest() for one in provisioners([entry], folder, name)]
    except (InfratestError, OSError):  # a value in braces stands in it, which is put in for a run alone
        read = []
    return {"said": entry, "read": read, "files": _files([entry], folder)}


def _files(said: Any, folder: Path) -> dict[str, str]:
    """Return the digests of the files beside the stack file that some text of this names, a hook's program say."""
    found = {}
    for text in _texts(said):
        path = folder / text
        if not text or len(text) > 1000 or "\n" in text or "\0" in text or not path.exists():
            continue
        for file in [path] if path.is_file() else sorted(path.rglob("*"))[:MANY]:
            if file.is_file():
                found[str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)] = chain.digest(
                    file.read_bytes()
                )
    return found


def _texts(said: Any) -> Iterable[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, Mapping):
        for each in said.values():
            yield from _texts(each)
    elif isinstance(said, (list, tuple)):
        for each in said:
            yield from _texts(each)


def _digest(value: Any) -> str:
    return chain.digest(json.dumps(value, sort_keys=True, default=str).encode())
