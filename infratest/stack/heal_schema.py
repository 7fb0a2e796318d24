"""The schema of `heal:` in a stack file: the rules, and whose keys count.

Only what this version has is in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from infratest.option_schema import QUANTITIES, REFERENCE, Schema, units
from infratest.option_schema import map_schema as _map
from infratest.stack.named import DEFAULTS, TRUSTED
from infratest.stack.schema_values import entries as _list
from infratest.stack.schema_values import named as _named
from infratest.stack.schema_values import number as _number
from infratest.stack.schema_values import text as _text

#: How a heal rule may act, the most careful first.
MODES = ("observe", "propose", "auto")

_WHEN = _map(
    "a map of tags, state and reason",
    "The results it is for; without tags, those of scenarios tagged @heal:NAME.",
    {
        "tags": _text("a tag expression", 'Over the scenario\'s tags, such as "@web and not @slow".'),
        "state": {
            "enum": ["critical", "warning"],
            "title": "critical or warning",
            "description": "The state it is for (default critical).",
        },
        "reason": _text("a text", 'What the reason of the failure holds, as it is written: "not listening".'),
    },
)
_CONFIRM: Schema = _map(
    "a whole number from 1 to 100, or a map of failures and of",
    "Failures in a row before it acts (default 2), or so many of the newest looks.",
    {
        "failures": _number("a whole number from 1 to 100", "How many failures.", 1, 100),
        "of": _number("a whole number from 1 to 100", "Of how many looks; what is not known is none.", 1, 100),
    },
    ("failures", "of"),
) | {"type": ["integer", "object", "string"], "minimum": 1, "maximum": 100, "pattern": REFERENCE}
_TRIES = _map(
    "a map of tries, per, group and group-per",
    "At most so many tries in so much time (default 3 in 1h), and so many acts on a group.",
    {
        "tries": _number("a whole number from 1 to 1000", "How many tries.", 1, 1000),
        "per": _text(QUANTITIES["time"], "In how much time.", units("time")),
        "group": _number("a whole number from 1 to 1000", "How many acts on all hosts of a group.", 1, 1000),
        "group-per": _text(QUANTITIES["time"], "In how much time (default 1 d).", units("time")),
    },
)
_PROOF = _map(
    "a map of drill, from, valid and figures",
    "The drill that proves the rule; auto rests on it.",
    {
        "drill": _text("a drill's name", "Its certificate is drills/NAME.json."),
        "from": _text("an environment", "Where it was drilled (default: this environment)."),
        "valid": _text(QUANTITIES["time"], "For how long it counts (default 30 days).", units("time")),
        "figures": _map(
            "a map of green-at-most",
            "What the drill must have reached.",
            {"green-at-most": _text(QUANTITIES["time"], "How soon it was green, at p95.", units("time"))},
        ),
    },
    ("drill",),
)
_EARN = _map(
    "a map of approvals and calm",
    "What it takes until it may be granted auto.",
    {
        "approvals": _number(
            "a whole number from 0 to 1000", "Approved heals that helped, in a row (default 5).", 0, 1000
        ),
        "calm": _text(
            QUANTITIES["time"], "How long it must have stayed well after each of them, to count.", units("time")
        ),
    },
)
_KEEP = _map(
    "a map of hosts and of",
    "So many hosts of a group must be well beside the one that is healed.",
    {
        "hosts": _number("a whole number from 1 to 1000", "How many hosts.", 1, 1000),
        "of": _text("a group", "Of which group."),
    },
    ("hosts", "of"),
)
_FREEZE = _list(
    "a list of windows of time, {file: PATH}, {provisioned: TIME} and {drift: files}",
    "While one of them holds, auto asks a person first.",
    {
        "type": ["string", "object"],
        "title": 'a window, such as "Fri 16:00 - Mon 07:00 Europe/Berlin", or a map of file, provisioned or drift',
        "description": "A window of time, a file of those who deploy, so long after provisioning, or changed files.",
        "properties": {
            "file": _text("a path", "As long as there is this file, beside the stack file, somebody deploys."),
            "provisioned": _text(QUANTITIES["time"], "So long after the host was provisioned.", units("time")),
            "drift": {
                "enum": ["files"],
                "title": "files",
                "description": "While a file that the scenario looks at was changed since it was last green.",
            },
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    },
)
#: What may also stand under `defaults`, for every rule that says nothing else.
_OF_ALL: Mapping[str, Schema] = {
    "confirm": _CONFIRM,
    "budget": _TRIES,
    "at-most": _text(
        "a percentage up to 100, such as 30%",
        "How much of the group may be sick at once (default 30%); beyond it nothing is healed.",
        r"^(100|[0-9]{1,2})(\.[0-9]+)? ?%$",
    ),
    "approvers": _number("a whole number from 1 to 9", "How many people approve a proposal (default 1).", 1, 9),
    "together": _number(
        "a whole number from 1 to 1000", "On how many hosts at once, each until it is known that it helped.", 1, 1000
    ),
    "freeze": _FREEZE,
}
#: Whose lines of the ledger, certificates and approvals count.
_TRUSTED = _named(
    "a map of names to public keys",
    "Whose grants, certificates and approvals count.",
    _text(
        "a public key, such as ed25519:...",
        "As `infratest heal trust --new-key` prints it.",
        r"^ed25519:[A-Za-z0-9+/]{43}=$",
    ),
)


def heal(remedies: Mapping[str, Schema]) -> Schema:
    """The whole of `heal:`: the rules by their names, and what is for all of them."""
    rules = _named("a map of heal rules", "What is done when a scenario fails, by name.", _rule(remedies))
    defaults = _map(f"a map of {', '.join(_OF_ALL)}", "What holds for each rule that says nothing else.", _OF_ALL)
    return rules | {"properties": {TRUSTED: _TRUSTED, DEFAULTS: defaults}}


def _rule(remedies: Mapping[str, Schema]) -> Schema:
    """A heal rule. A remedy that is not here is told by its kind, and not as a key."""
    remedy: Schema = {
        "type": "object",
        "title": "a map with one key, a remedy and its argument, such as {restart-service: nginx}",
        "description": "One rung of the ladder.",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": dict(remedies),
    }
    return _map(
        "a map of when, confirm, collect, do, neighbours, budget, at-most, together, keep, mode, proof, earn, "
        "approvers, freeze",
        "One heal rule. It never acts on unknown or on stale results.",
        {
            "when": _WHEN,
            "do": _list("a list of remedies, mildest first", "The ladder of remedies, mildest first.", remedy, least=1),
            **_OF_ALL,
            "mode": {
                "enum": [*MODES],
                "title": "observe, propose or auto",
                "description": "observe (default) says what it would do, propose asks a person, auto does it.",
            },
            "proof": _PROOF,
            "earn": _EARN,
            "collect": _list(
                "a list of sentences",
                "What is looked at on the host before anything is touched, and kept in the audit.",
                _text("a sentence", 'A sentence that checks, or `the command "..."`, `the journal of "..."`, a file.'),
            ),
            "neighbours": _text(
                "a tag expression", "Scenarios that must not be worse after a heal; else it is undone, and given up."
            ),
            "keep": _KEEP,
        },
        ("do",),
    )
