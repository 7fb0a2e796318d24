"""What a rule collects, as it is written: a sentence that checks, or a subject alone, of which all is shown.

`the command "ss -tlnp"`, `the journal of "nginx"` and `the file "/etc/nginx/nginx.conf"` stand alone; anything else is
a whole sentence. Called by whoever looks at rules before they are needed, and by the project that collects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.facts._systemd import unit_name
from infratest.gherkin.sentence import CHECK
from infratest.gherkin.vocabulary import vocabulary
from infratest.quoting import unescaped
from infratest.stack.declared import HealRule

#: Of a journal so many lines, of a file so many bytes, its last ones.
LINES, BYTES = 50, 4000
_ALONE = re.compile(r'the (command|journal of|file) "((?:[^"\\]|\\.)+)"')


@dataclass(frozen=True)
class Collectable:
    """One thing that is collected. command: what shows it, run on the host; empty where it is a sentence. sudo: as root
    where the host says so."""

    text: str
    command: tuple[str, ...] = ()
    sudo: bool = False


def wanted(rule: HealRule) -> list[Collectable]:
    """Return what a rule collects.

    Raises:
        UserError: a text is no sentence, or one that changes something.
    """
    return [_one(rule, text) for text in rule.collect]


def _one(rule: HealRule, text: str) -> Collectable:
    where = f"{rule.where or 'heal'}: rule {rule.name}: collect"
    alone = _ALONE.fullmatch(text)
    if alone is not None:
        kind, value = alone[1], unescaped(alone[2])
        if kind == "command":
            return Collectable(text, ("sh", "-c", value))
        try:
            unit = unit_name(value) if kind == "journal of" else ""
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
        if unit:
            return Collectable(
                text, ("journalctl", "-u", unit, "-n", str(LINES), "--no-pager", "-o", "short-iso"), sudo=True
            )
        return Collectable(text, ("tail", "-c", str(BYTES), "--", value), sudo=True)
    match = vocabulary().match(text)
    if match is None:
        known = '`the command "..."`, `the journal of "..."`, `the file "..."`, or a whole sentence'
        raise UserError(f"{where}: {clean(text, 100)!r} is no sentence: write {known}")
    if match.sentence.kind != CHECK:
        raise UserError(f"{where}: {clean(text, 100)!r} does not check: write only what looks")
    return Collectable(text)
