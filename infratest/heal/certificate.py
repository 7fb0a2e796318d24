"""The certificate of a drill, `drills/NAME.json`: that a rule mends a fault, of what it holds, and until when.

Written by `infratest drill --certify`, signed, and kept in the project. It binds the rule with the values in it, what
remedies are given, the features, and the provisioners and images as declared for the environment that was drilled: a
change of any of these is another thing than what was proven. `judged` tells whether it still holds. Pure, but for
reading the file.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import HealError
from infratest.heal import chain
from infratest.heal.signing import Key
from infratest.units import human

FOLDER = "drills"
#: Of what its file says. 2: the rule as it acts, with its values put in; provisioners that a rung applies.
#: 3: the reason that the rule is for, the looks that confirm, and the time that a rung has to take effect.
FORMAT = 3
#: Bytes of a certificate that are read.
SIZE = 2**20
#: What it binds, and in what words a change of it is told.
BOUND = {
    "rule": "the rule, a value in it, or what its remedies are given",
    "features": "a feature of the drill",
    "provisioners": "a provisioner, or a file that one reads",
    "images": "an image or the provider",
    "version": "the version of infratest",
}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How long it took over some runs, in seconds: until red, and until green, from when the fault was there."""

    runs: int
    red: tuple[float, ...]
    green: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a drill has proven.

    Args:
        drill: its scenario's slug. env: the environment that was drilled. time: when it ended. bound: BOUND -> digest.
        details: path or host -> digest, of which `bound` is made: they tell what has changed. given: host -> digest of
        the provisioners that a rung applies there, the same of several hosts once; empty where none does.
    """

    drill: str
    rule: str
    stack: str
    env: str
    time: float
    by: str
    bound: Mapping[str, str]
    figures: Figures
    details: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return what is signed."""
        return {
            "what": "certificate", "format": FORMAT, "drill": self.drill, "rule": self.rule, "stack": self.stack,
            "env": self.env, "time": self.time, "by": self.by, "bound": dict(self.bound),
            "details": dict(self.details), "given": dict(self.given),
            "figures": {"runs": self.figures.runs, "red": list(self.figures.red), "green": list(self.figures.green)},
        }  # fmt: skip


def percentile(numbers: Collection[float], share: float) -> float:
    """Return the number that this share (0.5, 0.95) of some numbers does not exceed, by nearest rank."""
    ordered = sorted(numbers)
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]


def path_of(folder: Path, drill: str) -> Path:
    """Return where the certificate of a drill is, in a stack file's folder."""
    return folder / FOLDER / f"{drill}.json"


def text(certificate: Certificate, key: Key) -> bytes:
    """Return the file of a certificate, signed."""
    return chain.written(chain.signed(certificate.as_dict(), key)) + b"\n"


def read(path: Path, keys: Collection[str]) -> Certificate:
    """Return the certificate in a file.

    Args:
        keys: the public keys that may have signed it.
    Raises:
        HealError: it is not there, torn, edited, signed by nobody who is trusted, or no certificate.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        with path.open("rb") as file:
            data = file.read(SIZE + 1)
    except OSError as error:
        raise HealError(f"{name}: {error.strerror}; `infratest drill {path.stem} --certify` makes one") from error
    try:
        record = json.loads(data)
        same = isinstance(record, dict) and chain.written(record) + b"\n" == data
    except (ValueError, RecursionError):
        same = False
    if not same or len(data) > SIZE:
        raise HealError(f"{name}: is torn, or written in another way than it was signed")
    if not chain.is_signed(record, keys):
        raise HealError(f"{name}: is not signed by one of the trusted keys")
    of = record.get("format", 1)
    if record.get("what") == "certificate" and of != FORMAT:
        by = "a newer" if isinstance(of, int) and of > FORMAT else "an older"
        raise HealError(f"{name}: was made by {by} infratest: drill again")
    try:
        return _certificate(record)
    except (KeyError, TypeError, ValueError) as error:
        raise HealError(f"{name}: is no certificate of this version ({clean(str(error), 100)})") from None


def judged(
    certificate: Certificate,
    *,
    drill: str,
    rule: str,
    stack: str,
    env: str,
    bound: Mapping[str, str],
    details: Mapping[str, str],
    now: float,
    valid: float,
    green_at_most: float | None,
) -> tuple[bool, str]:
    """Say whether a certificate holds for a rule now, and why or why not.

    Args:
        env: the one that must have been drilled. bound, details: as they are now, as of the certificate. valid: for so
        many seconds. green_at_most: seconds until green, of nineteen in twenty runs; None where any will do.
    """
    name = f"drill {clean(certificate.drill, 80)}"
    for what, has, wanted in (
        ("drill", certificate.drill, drill),
        ("rule", certificate.rule, rule),
        ("stack", certificate.stack, stack),
        ("environment", certificate.env, env),
    ):
        if has != wanted:
            return False, f"{name}: its certificate is of the {what} {clean(has, 80)!r}, not of {wanted!r}"
    age = now - certificate.time
    if age < -chain.AHEAD:
        return False, f"{name}: its certificate is of the future: a clock is wrong, or it is forged"
    if age > valid:
        return False, f"{name}: proven {human(age, 's')} ago, which counts for {human(valid, 's')}; drill again"
    changed = [words for key, words in BOUND.items() if certificate.bound.get(key) != bound.get(key)]
    if changed:
        which = differing(certificate.details, details)
        told = f" ({', '.join(clean(one, 80) for one in which[:5])})" if which else ""
        return False, f"{name}: since then was changed: {'; '.join(changed)}{told}; drill again"
    green = percentile(certificate.figures.green, 0.95)
    if green_at_most is not None and green > green_at_most:
        return False, f"{name}: green after {human(green, 's')} (p95), at most {human(green_at_most, 's')} is asked for"
    return True, f"proven{' on ' + clean(certificate.env, 80) if certificate.env else ''} by {name}"


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the names whose digests are not the same in both, in order."""
    return [name for name in sorted({*one} | {*other}) if one.get(name) != other.get(name)]


def _certificate(record: Mapping[str, Any]) -> Certificate:
    if record["what"] != "certificate":
        raise ValueError("it is something else")
    said = record["figures"]
    figures = Figures(
        runs=int(said["runs"]), red=tuple(map(_seconds, said["red"])), green=tuple(map(_seconds, said["green"]))
    )
    if not figures.runs == len(figures.red) == len(figures.green) > 0:
        raise ValueError("it says of no run how long it took")
    bound, details, given = (_texts(record[name], name) for name in ("bound", "details", "given"))
    if set(bound) != set(BOUND):
        raise ValueError("it binds other things")
    drill, rule, stack, env, by = (_text(record[name], name) for name in ("drill", "rule", "stack", "env", "by"))
    return Certificate(
        drill=drill, rule=rule, stack=stack, env=env, by=by, time=_seconds(record["time"]), bound=bound,
        figures=figures, details=details, given=given,
    )  # fmt: skip


def _texts(value: Mapping[str, Any], name: str) -> dict[str, str]:
    return {_text(key, name): _text(each, name) for key, each in value.items()}


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value) or value < 0:
        raise ValueError("a time is no number")
    return float(value)
