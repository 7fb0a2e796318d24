"""What the design names and this version does not have: refused as that, never ignored and never called a mistake.

One table for every kind of name that a user writes. What is there by now is taken out of it when it is asked: of the
kinds of plugins by the registry, of others by whoever asks. Building a thing needs no edit here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from infratest import outsiders
from infratest.plugins import KINDS

WORDS = "not in this version"

#: Kind -> names of the design.
NAMED: dict[str, frozenset[str]] = {
    "verb": frozenset(
        """test check gate heal drill mutate init up provision watch runbook halt suspend resume reboot rebuild
        destroy status ssh ssh-config cp forward run console ip balance sorry snapshot package box
        output plan lint steps learn drift coverage import scale guest reap doctor schema demo""".split()
    ),
    "word of heal": frozenset(("list", "show", "approve", "deny", "trust", "undo", "backtest", "lint")),
    "word of monitor": frozenset(
        """run status problems due explain history events ack unack downtime pause resume note heartbeat tell
        backtest send export up poller""".split()
    ),
    "word of box": frozenset(("import", "export")),
    "option": frozenset(("--on-failure",)),
    "tag": frozenset(("interval", "drill")),
    "root of a value": frozenset(("balancer", "address", "volume", "record", "bucket")),
    "key": frozenset(("monitor", "budget", "scale")),
    "key of monitor": frozenset(("discover", "hints", "send", "jobs")),
    "key of alive": frozenset(("peer", "canary")),
    "host option": frozenset(("disks", "networks")),
    "mode": frozenset(("observe", "propose", "auto")),
    "provider": frozenset(("libvirt", "qemu", "simulator", "virtualbox")),
    "provisioner": frozenset(("ansible",)),
    "inventory": frozenset(("ansible", "cloud", "ssh-config", "terraform", "vagrant")),
    "component": frozenset(("balancer", "bucket", "record", "volume")),
    "remedy": frozenset(("drain", "replace")),
    "intake": frozenset(("graphite", "http", "nsca", "statsd")),
    "sender": frozenset(("graphite", "icinga2", "nagios-command-file", "syslog", "zabbix")),
    "receiver": frozenset(("alertmanager", "apprise", "mail", "pagerduty", "webhook")),
}
#: Of the verbs those whose exit status will be a state, so that wrong use is unknown; their own files will say so.
JUDGING = frozenset(("gate", "drill", "mutate"))

_REBOOTED = re.compile(r'the host "(?P<name>[^"]*)" is rebooted')
#: Of what no sentence is there at all: one that is there is told by the nearest, were it misspelt.
_SENTENCES = re.compile(r"the balancer \"[^\"]*\" .*")


def names(kind: str, there: Iterable[str] = ()) -> frozenset[str]:
    """Return the names of a kind that this version does not have.

    Args:
        there: those that it has, where they are no plugins: the registry knows plugins, an outsider's too.
    """
    return NAMED[kind].difference(there, outsiders.names(kind) if kind in KINDS else ())


def sentence(text: str) -> str:
    """Return why a text that is no sentence cannot be asked in this version, empty where the design does not name it.

    What the vocabulary has is a sentence, and nobody asks for it here.
    """
    rebooted = _REBOOTED.fullmatch(text)
    if rebooted:
        return f'{WORDS}; write: the host is rebooted on "{rebooted["name"]}"'
    return WORDS if _SENTENCES.fullmatch(text) else ""
