"""The schema of `monitor:` in a stack file: how scenarios are watched, which heartbeats are expected, who is told.

Only what this version has is in it; the rest of the design's keys is in `later`, and refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from infratest.option_schema import OR_REFERENCE, REFERENCE, Schema
from infratest.option_schema import map_schema as _map
from infratest.stack.schema_values import NAME, NAME_WORDS, entries, named, number, quantity, switch, text

#: What a receiver may be told of: `alerting.owed.KINDS`.
TOLD = ("problem", "recovery", "flap", "ack")
#: What may bring a look forward: `monitor.hints` has a file of each.
HINTS = ("processes", "units", "provider")
#: What turns something off; `null` in an environment gives back what holds without it.
OFF = "off"

_FAILURES = _map(
    "a map of failures and of",
    "So many failures of so many looks.",
    {
        "failures": number("a whole number from 1 to 100", "How many looks must have failed.", 1, 100),
        "of": number("a whole number from 1 to 100", "Of how many, the newest.", 1, 100),
    },
    ("failures", "of"),
)
_ATTEMPTS: Schema = _FAILURES | {
    "type": ["integer", "object", "string"],
    "title": "a whole number from 1 to 100, or a map of failures and of, such as {failures: 3, of: 5}",
    "description": "Failures in a row that make a failure hard (default 3); of one @attempts:3 or @attempts:3/5.",
    "minimum": 1,
    "maximum": 100,
    "pattern": REFERENCE,
}
_FLAP: Schema = _map(
    f"{OFF}, or a map of changes, within and calm",
    "What counts as flapping (default 4 changes of the hard state within 30 min, until 15 min without one).",
    {
        "changes": number("a whole number from 2 to 100", "So many changes of the hard state (default 4).", 2, 100),
        "within": quantity("time", "Within so much time (default 30 min)."),
        "calm": quantity("time", "It flaps until no change has come for so long (default 15 min)."),
    },
) | {"type": ["object", "string"], "pattern": rf"^{OFF}$" + OR_REFERENCE}

_HEARTBEAT = _map(
    "a map of at or every, and zone, grace, runs-at-most and misses",
    "A job of somebody else's that has to be heard of.",
    {
        "at": text('a cron expression of five fields, such as "0 3 * * *"', "When it runs, as Debian's cron reads it."),
        "zone": text("a time zone, such as Europe/Berlin", "The time zone of `at` (default UTC)."),
        "every": quantity("time", "So often it has to be heard of at least, instead of `at`."),
        "grace": quantity("time", "How much later is not late yet (default 5 min)."),
        "runs-at-most": quantity("time", "How long it may run, from `start` on; without it, `start` says nothing."),
        "misses": number("a whole number from 1 to 100", "So many in a row must be missed (default 1).", 1, 100),
    },
)

_RECEIVER_NAME = text(NAME_WORDS, "A receiver, as declared in `receivers`.", NAME)
_TELL = _map(
    "a map of when, to, after, again, on and stop",
    "Who is told of what; all entries that fit count, up to the first with `stop: true`.",
    {
        "when": text(
            'an expression, such as "state=critical and label.team=web"',
            "The results it is for, by state, env, tag, id, label.NAME, host or group; all without it.",
        ),
        "to": _RECEIVER_NAME
        | {
            "type": ["string", "array"],
            "title": "a receiver's name, or a list of them",
            "description": "Who is told.",
            "items": _RECEIVER_NAME,
            "minItems": 1,
            "uniqueItems": True,
        },
        "after": quantity("time", "Only of what has lasted so long."),
        "again": quantity("time", "Once more each time so much has passed; never without it."),
        "on": entries(
            f"a list of {', '.join(TOLD)}",
            "What is told (default problem, recovery and flap).",
            {"enum": [*TOLD], "title": " or ".join(TOLD), "description": "One of them."},
            least=1,
            unique=True,
        ),
        "stop": switch("true: the entries behind it are for nothing that it is for."),
    },
    ("to",),
)

_CANARY = _map(
    "a map of receiver, at and zone",
    "A real message at its dates, which people miss where it does not come.",
    {
        "receiver": _RECEIVER_NAME,
        "at": text('a cron expression of five fields, such as "0 8 * * *"', "When it comes, as cron has it."),
        "zone": text("a time zone, such as Europe/Berlin", "The time zone of `at` (default UTC)."),
    },
    ("receiver", "at"),
)
_ALIVE = _map(
    "a map of ping, peer, every and canary",
    "Something elsewhere that cries when it hears nothing of the monitor any longer.",
    {
        "ping": text("a URL that starts with http:// or https://", "Asked after a finished cycle.", r"^https?://[^/]"),
        "peer": text(
            "a URL that starts with http:// or https://",
            "Another monitor, as https://west:9917: its /health is asked, and told of when it does not work.",
            r"^https?://[^/]",
        ),
        "every": quantity("time", "How often at most (default 60s)."),
        "canary": _CANARY,
    },
)
_JOBS: Schema = number("a whole number from 1 to 1000, or dask://HOST:PORT", "How many hosts are looked at at once "
                       "(default 64), or the scheduler of dask whose workers look.", 1, 1000) | {
    "type": ["integer", "string"],
    "pattern": r"^dask(\+tls)?://" + OR_REFERENCE,
}  # fmt: skip
_STORE = _map(
    "a map of url, password-file, ca and keep",
    "Where the monitor remembers, and for how long.",
    {
        "url": text(
            "sqlite, or postgresql://USER@HOST/DATABASE",
            "sqlite (default): a file in the state directory. A PostgreSQL, where several monitors know of each other.",
            r"^(sqlite|postgres(ql)?://.*)$",
        ),
        "password-file": text("a path", "A file that holds the password of PostgreSQL's user."),
        "ca": text("a path", "Whose certificate PostgreSQL has, instead of those that the system trusts."),
        "keep": _map(
            "a map of raw, hourly and size",
            "How much history stays.",
            {
                "raw": quantity("time", "Each single number (default 14d)."),
                "hourly": quantity("time", "What an hour's numbers come to, and changes of states (default 400d)."),
                "size": quantity("size", "The whole file at most; the oldest numbers go first (default 2GiB)."),
            },
        ),
    },
)  # fmt: skip


def _receiver(receivers: Mapping[str, Schema]) -> Schema:
    """A receiver. Where none are given, any map of one key will do here."""
    return {
        "type": "object",
        "title": "a map of one kind of receiver and its options, such as {mail: {to: ops@example.org}}",
        "description": "Who is told, and how.",
        "minProperties": 1,
        "maxProperties": 1,
        **({"properties": dict(receivers), "additionalProperties": False} if receivers else {}),
    }


def _listen(intakes: Mapping[str, Schema]) -> Schema:
    """What is listened to. Where no kinds are given, any map will do here."""
    return {
        "type": "object",
        "title": 'a map of kinds of intakes, such as {statsd: "127.0.0.1:8125"}',
        "description": "What is listened to, by its kind: what others send is kept beside what is seen.",
        **({"properties": dict(intakes), "additionalProperties": False} if intakes else {}),
    }


def _send(senders: Mapping[str, Schema]) -> Schema:
    """Where results are sent. Where no kinds are given, any map of one key will do here."""
    each: Schema = {
        "type": "object",
        "title": 'a map of one kind of sender and its options, such as {graphite: "127.0.0.1:2003"}',
        "description": "Another monitoring tool, and where it is.",
        "minProperties": 1,
        "maxProperties": 1,
        **({"properties": dict(senders), "additionalProperties": False} if senders else {}),
    }
    return entries("a list of senders", "Other tools that are sent each result and number, each on its own.", each)


def monitor(receivers: Mapping[str, Schema], intakes: Mapping[str, Schema], senders: Mapping[str, Schema]) -> Schema:
    """Return the schema of `monitor:`.

    Args:
        receivers, intakes, senders: the schema of each kind's options; empty where who reads a file does not look at
        them.
    """
    keys = _keys(receivers, intakes, senders)
    words = "How the scenarios are watched, which heartbeats are expected, what is listened to and who is told."
    return _map(f"a map of {', '.join(keys)}", words, keys)


def _keys(
    receivers: Mapping[str, Schema], intakes: Mapping[str, Schema], senders: Mapping[str, Schema]
) -> dict[str, Schema]:
    return {
        "interval": quantity("time", "Time from look to look (default 60s); @interval:10s of a scenario."),
        "retry": quantity("time", "Time to the next look while a failure is not confirmed (default 15s)."),
        "attempts": _ATTEMPTS,
        "recover": number("a whole number from 1 to 100", "Looks in a row that must hold to end it (1).", 1, 100),
        "stale": number("a whole number from 1 to 1000", "Intervals without a result: unknown (default 2).", 1, 1000),
        "flap": _FLAP,
        "witness": entries(
            "a list of URLs and of HOST:PORT",
            "What answers unless we are cut off: where none does, what failed is unknown, and nothing is healed.",
            text("a URL, or HOST:PORT", "A witness.", r"^(https?://[^/\s].*|[^/\s]+:[0-9]{1,5})$" + OR_REFERENCE),
            least=1,
            unique=True,
        ),
        "hints": entries(
            f"a list of {', '.join(HINTS)}",
            "What may bring a look forward, as soon as something changes; never what it sees, and none without it.",
            {
                "enum": [*HINTS],
                "title": " or ".join(HINTS),
                "description": "Processes or systemd's units of this machine, or what the provider tells of its hosts.",
            },
            least=1,
            unique=True,
        ),
        "listen": _listen(intakes),
        "send": _send(senders),
        "heartbeats": named("a map of heartbeats", "Jobs of others that have to be heard of, by name.", _HEARTBEAT),
        "receivers": named("a map of receivers", "Who can be told, by name.", _receiver(receivers)),
        "tell": entries("a list of rules", "Who is told of what, in order.", _TELL),
        "alive": _ALIVE,
        "store": _STORE,
        "jobs": _JOBS,
    }


#: Keys of `monitor:` and of `alive:` in it.
KEYS, ALIVE_KEYS = frozenset(_keys({}, {}, {})), frozenset(_ALIVE["properties"])
