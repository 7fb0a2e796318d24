"""Faults of values in files: of JSON, another value, or none by that name."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._json_file import UNNAMED, VALUED
from infratest.mutations._path import WRITTEN_BACK
from infratest.mutations.base import Claim, Fault, ScriptAct

OPPOSITES = {"true": "false", "false": "true"}


def presence(claim: Claim) -> Act | str:
    """Give its key another name."""
    check = claim.check
    if claim.negated:
        return "which value it could have is not known"
    key = _key(claim)
    return key[1:] if key.startswith("!") else _done(f"{check.path} has no {check.at}", UNNAMED, check.path, key)


def equal(claim: Claim) -> Act | str:
    """Another value, or just that one."""
    check = claim.check
    plain = check.value in OPPOSITES or check.value.isdigit()
    other = check.value if claim.negated else OPPOSITES.get(check.value, "infratest")
    if check.value.isdigit() and not claim.negated:
        other = str(int(check.value) + 1)
    key = _key(claim)
    if key.startswith("!"):
        return key[1:]
    if "/" in other or "&" in other or "\\" in other or '"' in other:
        return "values with such signs are not written"
    words = f"{check.at} of {check.path} is made {other}"
    return _done(words, VALUED, check.path, key, other if plain else f'"{other}"')


def _key(claim: Claim) -> str:
    """Return the last key of a path, or behind an exclamation mark why nothing is changed at it."""
    check = claim.check
    if not check.path or check.form.upper() != "JSON":
        return "!only values in files of JSON are changed"
    key: str = check.at.rpartition(".")[2]
    return key if key.replace("-", "").replace("_", "").isalnum() else "!only what a plain key names is changed"


def _done(words: str, change: str, *arguments: str) -> Act:
    return ScriptAct(words, change, WRITTEN_BACK, arguments)


FAULTS: dict[str, Fault] = {"ValueThere": presence, "ValueEqual": equal}
