"""What a drill's certificate binds, as it stands now; certificates written, and held against what stands now.

Called by `infratest drill --certify`, and where it is asked whether a rule is proven. The rule is bound as it acts,
with the values that are put into it, and so are provisioners that a rung of it applies; the rest is as declared in the
stack file for the environment that was drilled, so that another environment of the same stack can name its proof.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from errno import ENAMETOOLONG
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infratest import __version__
from infratest.cleaning import Secret, masked
from infratest.errors import HealError, InfratestError, StateError, UserError
from infratest.gherkin.find import find
from infratest.heal import certificate as certificates
from infratest.heal import chain
from infratest.heal.certificate import Certificate, Figures
from infratest.heal.ladder import rungs
from infratest.heal.people import who
from infratest.heal.signing import Key
from infratest.lifecycle import provisioned
from infratest.outsiders import get
from infratest.paths import path_of
from infratest.project.session import Session
from infratest.provisioners.base import provisioners
from infratest.stack.declared import HealRule
from infratest.stack.file import declared
from infratest.store.journal import Journal

if TYPE_CHECKING:
    from infratest.project.drill import Outcome

#: What of a rule is proven; how far and how often it may act is no part of it.
OF_RULE = (
    "when_tags", "when_state", "when_reason", "confirm", "confirm_of", "collect", "do", "settles", "neighbours",
)  # fmt: skip
#: Files of a folder that are looked at.
MANY = 10_000


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a certificate binds, as it stands at one time.

    Args:
        details: of each thing its digest. given: by host, of the provisioners that a rung of the rule applies there.
    """

    details: Mapping[str, str]
    given: Mapping[str, str]

    def of(self, features: Collection[str]) -> Standing:
        """Return the same of some features alone."""
        left = {f"feature {one}" for one in features}
        kept = {name: one for name, one in self.details.items() if name in left or not name.startswith("feature ")}
        return replace(self, details=kept)

    @property
    def bound(self) -> dict[str, str]:
        """Return the digests that are compared, of what the details are by kind."""
        kinds = {"rule": "rule ", "features": "feature ", "provisioners": "provision ", "images": "image "}
        found = {
            kind: _digest({name: one for name, one in self.details.items() if name.startswith(begin)})
            for kind, begin in kinds.items()
        }
        return found | {"version": ".".join(__version__.split(".")[:2])}


def certifiable(session: Session) -> None:
    """See that what would be drilled is what a certificate would bind: the stack file's values, hosts and scripts.

    Raises:
        UserError: some of it is not, by the call and the journal; of hosts that others made it knows nothing.
    """
    stack = session.stack
    names = [host.name for host in stack.hosts] if session.host else []
    if left_out := set(names).difference(session.selected(names)):
        raise UserError(
            f"--certify: {session.asked} leaves out {', '.join(sorted(left_out))}, and a certificate is of a look at "
            "all hosts of the stack; do not give --host (or INFRATEST_HOST)"
        )
    by_hand = [name for name in session.parameters if not isinstance(stack.parameters[name], Secret)]
    declares = declared(stack.path, stack.env).get("parameters", {})
    before = [name for name in session.kept if stack.parameters[name] != declares[name].get("default")]
    if by_hand or before:
        whose = f"-D {by_hand[0]}" if by_hand else f"-D {before[0]}, which an earlier `up` or `provision` was given,"
        raise UserError(
            f"--certify: the value of {whose} stands in no file, and a certificate is of what the stack file declares: "
            f"write it there as `default:`{f', or under `environments: {stack.env}:`' if stack.env else ''}"
        )
    records = Journal(session.state).records() if session.state.exists else []
    found = provisioned.behind(records, stack.name, stack.env, stack.hosts, stack.folder)
    if told := provisioned.lines(found, session.command("provision")):
        raise UserError(f"--certify: {'; '.join(told)}: a certificate is of these scripts, as a drill has met them")


def certify(session: Session, slug: str, outcomes: Sequence[Outcome], key: Key, now: float, begun: Standing) -> Path:
    """Write the certificate of a drill's runs into the project, and return where.

    Args:
        begun: how all stood before the first run (`standing`), which is what was drilled.
    Raises:
        UserError: what it binds cannot be read, or was changed since. StateError: it cannot be written.
    """
    stack, rule = session.stack, outcomes[0].rule
    features = {feature for one in outcomes for feature in one.watched}
    drilled, anew = begun.of(features), replace(session, _stack=None)
    since = standing(anew, _named(anew, rule), stack.env, features)
    differing = certificates.differing
    changed = [*differing(drilled.details, since.details), *differing(drilled.given, since.given)]
    if changed:
        raise UserError(f"{slug}: not certified: changed while it was drilled: {', '.join(changed)}; drill again")
    made = Certificate(
        drill=slug,
        rule=rule,
        stack=stack.name,
        env=stack.env,
        time=now,
        by=who(),
        bound=drilled.bound,
        details=drilled.details,
        given={host: one for one, host in {one: host for host, one in drilled.given.items()}.items()},  # each once
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


def withdraw(session: Session, slug: str, rule: str) -> Path | None:
    """Remove the certificate of a drill that has failed since, and return where it was; None where there is none.

    One of an environment on which this one does not rest stays: what fails here says nothing of it.

    Raises:
        StateError: it cannot be removed.
    """
    stack = session.stack
    path = certificates.path_of(stack.folder, slug)
    try:
        made = certificates.read(path, set(stack.trusted_keys.values()))
    except HealError:
        return None  # it proves nothing, and may be somebody else's
    proofs = [one.proof for one in stack.heal if one.name == rule and one.proof is not None]
    if made.env not in (stack.env, *(one.env for one in proofs)):
        return None
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StateError(f"{path} could not be removed: {error.strerror}; its drill has failed: remove it") from error
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
        now = standing(session, rule, env, features)
    except InfratestError as error:
        return False, f"not proven: {error}"
    if env != stack.env and made.env == env and made.bound["rule"] != now.bound["rule"]:
        return False, (
            f"drill {proof.drill}: {certificates.BOUND['rule']} is another here, in the environment {stack.env!r}, "
            f"than what was drilled in {env!r}; drill again"
        )
    holds, why = certificates.judged(
        made,
        drill=proof.drill,
        rule=rule.name,
        stack=stack.name,
        env=env,
        bound=now.bound,
        details=now.details,
        now=time.time(),
        valid=proof.valid,
        green_at_most=proof.green_at_most,
    )
    others = [name for name, one in now.given.items() if one not in made.given.values()]
    if holds and others:
        return False, f"drill {proof.drill}: a rung provisions, and {', '.join(others[:5])} by other than was drilled"
    return holds, why


def standing(session: Session, rule: HealRule, env: str, features: Iterable[str] | None = None) -> Standing:
    """Return what a certificate of a rule binds, as things stand.

    Args:
        rule: as it acts here. env: the environment that is drilled. features: their paths, as ids name them; None for
        all that there are.
    Raises:
        UserError: the stack file, a feature, or a file that something reads, cannot be read.
    """
    stack = session.stack
    details = {f"rule {rule.name}": _rule(rule, stack.folder)}
    details |= _features(session, features)
    details |= _hosts(declared(stack.path, env), stack.folder)
    given = {}
    if any(_kind(remedy, "provisions") for remedy, _ in rungs(rule)):
        given = {host.name: _applied(host.provision, stack.folder, host.name) for host in stack.hosts}
    return Standing(details=details, given=given)


def reads(session: Session, rule: HealRule, rung: int, host: str) -> dict[str, str]:
    """Return the digests of what a rung would read from this machine when it acts on a host: programs, provisioners.

    Raises:
        InfratestError: a file cannot be read, or an inventory.
    """
    stack, (remedy, argument) = session.stack, rule.do[rung]
    found = {} if _kind(remedy, "on_host") else _files(argument, stack.folder)
    if _kind(remedy, "provisions"):
        mine = [one.provision for one in stack.hosts if one.name == host]
        found |= {f"provision {host}": _applied(each, stack.folder, host) for each in mine}
    return found


def _named(session: Session, name: str) -> HealRule:
    for rule in session.stack.heal:
        if rule.name == name:
            return rule
    raise UserError(f"rule {name} is no longer in the stack file; drill again")


def _rule(rule: HealRule, folder: Path) -> str:
    here = [argument for remedy, argument in rule.do if not _kind(remedy, "on_host")]
    return _digest({"said": _unsecret({name: getattr(rule, name) for name in OF_RULE}), "files": _files(here, folder)})


def _kind(remedy: str, of: str) -> bool:
    """Return what a remedy says of itself: that it works `on_host`, where no path of this machine is read; that it
    `provisions`. What cannot be loaded says neither."""
    try:
        return bool(getattr(get("remedy", remedy), of))
    except (InfratestError, ImportError):
        return False


def _features(session: Session, features: Iterable[str] | None) -> dict[str, str]:
    stack = session.stack
    known = {file.name: file.path for file in find((), stack.features, stack.folder)}
    found = {}
    for name in known if features is None else features:
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
    # A host that an inventory names is made and provisioned by the defaults.
    for name, host in {**data.get("hosts", {}), "(defaults)": data.get("defaults", {})}.items():
        if name != "(defaults)" or host:
            found[f"provision {name}"] = _provisions((host or {}).get("provision", ()), folder, name)
            found[f"image {name}"] = _digest((host or {}).get("image", ""))
    return found


def _provisions(entries: Iterable[Mapping[str, Any]], folder: Path, name: str) -> str:
    """Return the digest of provisioners as they are written."""
    return _digest([{"said": entry, "files": _read(entry, folder, name)} for entry in entries])


def _applied(entries: Iterable[Mapping[str, Any]], folder: Path, name: str) -> str:
    """Return the digest of provisioners with their values put in, as a rung applies them."""
    return _digest([{"said": _unsecret(entry), "files": _read(entry, folder, name)} for entry in entries])


def _read(entry: Mapping[str, Any], folder: Path, name: str) -> dict[str, str]:
    try:
        sources = [path for one in provisioners([entry], folder, name) for path in one.sources()]
    except InfratestError:  # a value in braces stands in it, which is put in for a run alone
        sources = []
    return _files(entry, folder) | _content(sources, folder)


def _files(said: Any, folder: Path) -> dict[str, str]:
    """Return the digests of the files beside the stack file that some text of this names, a hook's program say."""
    texts = [one for one in _texts(said) if one and "\n" not in one and "\0" not in one]
    found = _content([folder / one for one in texts], folder)
    for one in texts:  # a program below the home of who heals is the same one where its content is the same
        if one.startswith("~") and _there(program := path_of(folder, one)) and program.is_file():
            (found[f"{one} (of the home)"],) = _content([program], folder).values()
    return found


def _content(paths: Iterable[Path], folder: Path) -> dict[str, str]:
    """Return the digests of files, and of those in folders, by their paths from the stack file's folder.

    What is not there has none. A folder that the stack file itself is in is not looked into: it holds the state, and
    the certificate that is to be made.

    Raises:
        UserError: one cannot be read, or there are too many.
    """
    found = {}
    try:
        for path in filter(_there, paths):
            below = path.is_dir() and not folder.resolve().is_relative_to(path.resolve())
            inside = list(islice(path.rglob("*"), MANY + 1)) if below else []
            if len(inside) > MANY:
                raise UserError(f"{path}: holds more than {MANY} files, of which no digest is made: name those needed")
            for file in [path, *inside]:
                if file.is_file():
                    name = str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
                    found[name] = chain.digest(file.read_bytes())
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from error
    return found


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        if error.errno == ENAMETOOLONG:  # any text of a rule is looked at, and some are no paths
            return False
        raise


def _texts(said: Any) -> Iterable[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, Mapping):
        for each in said.values():
            yield from _texts(each)
    elif isinstance(said, (list, tuple)):
        for each in said:
            yield from _texts(each)


def _unsecret(said: Any) -> str:
    """Return what is said, as text, without the secrets that were put in: a certificate is for all to read."""
    return masked(json.dumps(said, sort_keys=True, default=str))


def _digest(value: Any) -> str:
    return chain.digest(json.dumps(value, sort_keys=True, default=str).encode())
