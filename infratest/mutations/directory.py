"""Faults of the files in a directory: another one in its place, with too few, too many, too old or too small."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import AWAY, BACK, beside
from infratest.mutations.base import Claim, Fault, ScriptAct, outside

#: $2: the directory, $3: where it is kept meanwhile, $4: how many files are in the other one, $5: the bytes of each,
#: $6: their age in seconds, $7: how their names begin, $8: how they end.
OTHER = f"""{AWAY}
mkdir -- "$2"
chown --reference="$3" -- "$2"
chmod --reference="$3" -- "$2"
i=0
while [ $i -lt "$4" ]; do
  truncate -s "$5" -- "$2/$7$i$8"
  touch -d "@$(($(date +%s) - $6))" -- "$2/$7$i$8"
  i=$((i + 1))
done"""
#: The other one goes as a whole: nobody has written into it but this.
BACK_AGAIN = f"""if [ -d "$3" ]; then rm -rf -- "$2"; fi
{BACK}"""
#: Files that are made at most.
MOST = 1000


def newest_age(claim: Claim) -> Act | str:
    """One file that is too old, or too new."""
    number = outside(claim.bound) if claim.bound else None
    return "each age is in the bound" if number is None else _other(claim, 1, 1, number)


def newest_size(claim: Claim) -> Act | str:
    """One file that is too small, or too large."""
    number = outside(claim.bound) if claim.bound else None
    return "each size is in the bound" if number is None else _other(claim, 1, number, 0)


def count(claim: Claim) -> Act | str:
    """Too many files, or too few."""
    number = outside(claim.bound) if claim.bound else None
    if number is None or number > MOST:
        return f"up to {MOST} files are in the bound"
    return _other(claim, number, 1, 0)


def _other(claim: Claim, number: float, size: float, age: float) -> Act | str:
    path, pattern = claim.check.path.rstrip("/"), claim.check.pattern
    if not pattern:
        return "which directory it is of several is not known"
    begin, _, end = pattern.partition("*")
    if any(character in begin + end for character in "*?[]"):
        return "which names fit is not known"
    words = f"{path} holds {number:.0f} files of {size:.0f} bytes, {age:.0f} s old"
    values = [f"{each:.0f}" for each in (number, size, age)]
    return ScriptAct(words, OTHER, BACK_AGAIN, (path, beside(path), *values, begin, end))


FAULTS: dict[str, Fault] = {
    "NewestAge": newest_age,
    "NewestSize": newest_size,
    "FileCount": count,
    "FilesSize": newest_size,
}
