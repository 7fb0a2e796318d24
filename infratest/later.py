"""Sentences that the design names and this version does not have: they are refused as that, and not as a mistake.

Called by the planner and by lint for texts that are no sentence.
"""

from __future__ import annotations

import re

#: How to say a sentence of the design in this version, where it can be said.
REBOOTED = re.compile(r'the host "(?P<name>[^"]*)" is rebooted')

NAMED = re.compile(
    r"the (?:interface|sysctl|kernel module|cron job|name|database|queue|container|balancer) \"[^\"]*\" .*"
    r"|the (?:route to|journal of|certificate of) \"[^\"]*\" .*"
    r'|the disk "[^"]*" is filled to .*|traffic from .* is dropped.*'
    r'|"[^"]*" is asked .* times a second.*|"[^"]*" answered in .*'
    r"|.* is the same on all hosts"
)


def later(text: str) -> str:
    """Return why a text cannot be asked in this version, where the design names it; else an empty text."""
    rebooted = REBOOTED.fullmatch(text)
    if rebooted:
        return f'not in this version; write: the host is rebooted on "{rebooted["name"]}"'
    return "not in this version" if NAMED.fullmatch(text) else ""
