"""What each attribute of goss is said as: one entry an attribute, and nothing else to touch where a sentence is new.

A form is the words behind the subject, and behind the bar its negation: `has mode {v} | does not have mode {v}`. In it
`{v}` is the value in quotes, `{n}` as it is, `{b}` a bound with its number, `{re}` a pattern that fits the value alone,
`{glob}` a shell pattern. Which form is taken goes by the claim (matchers.py). A function says what no form can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infratest.importers.goss import comparing, saying, urls
from infratest.importers.goss.resource import Resource, Wording

#: The claim's name -> the form of it.
Forms = Mapping[str, str]
Asks = Forms | Callable[[Resource, str], list[Wording]] | str


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Args:
        title: the scenario's name. subject: with `{key}`, or made of the resource. named: the attribute that says the
        name, where the key does not. first: where this is false, goss looks at nothing else. attributes: the words
        of each; a text is the reason why it is said in no sentence. tail: behind each sentence. readers: those whose
        lists are patterns of lines. together: attributes that another one says. before: names of goss before 0.4,
        and what each is called since.
    """

    title: str
    subject: str | Callable[[Resource], str]
    named: str
    attributes: Mapping[str, Asks]
    first: str = ""
    tail: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    readers: tuple[str, ...] = ()
    together: Mapping[str, str] = field(default_factory=dict)


def _of_output(stream: str) -> Forms:
    """Return the forms of what a command prints to one of its streams."""
    behind = f" to standard {stream}" if stream == "error" else ""
    forms = {
        "substring": f"prints {{v}}{behind} | does not print {{v}}{behind}",
        "line regexp": f"prints a line matching {{v}}{behind} | prints no line matching {{v}}{behind}",
        "line equal": f"prints a line matching {{line}}{behind} | does not print {{v}}{behind}",
        "line prefix": f"prints a line matching {{from}}{behind} | prints no line matching {{from}}{behind}",
        "line suffix": f"prints a line matching {{to}}{behind} | prints no line matching {{to}}{behind}",
        "line substring": f"prints {{v}}{behind} | does not print {{v}}{behind}",
        "nothing": f"prints nothing{behind} | prints something{behind}",
    }
    if stream == "output":
        forms |= {
            "equal": "prints exactly {v} | does not print exactly {v}",
            "bound": "prints a number {b}",
            "json equal": "prints JSON with {at} equal to {v} | prints JSON with {at} not equal to {v}",
            "json regexp": "prints JSON with {at} matching {v} | prints JSON with {at} not matching {v}",
            "json prefix": "prints JSON with {at} matching {from} | prints JSON with {at} not matching {from}",
            "json suffix": "prints JSON with {at} matching {to} | prints JSON with {at} not matching {to}",
            "json line equal": "prints JSON with {at} containing {v} | prints JSON with {at} not containing {v}",
            "json true": 'prints JSON with {at} equal to "true" | prints JSON with {at} equal to "false"',
            "json bound": "prints JSON with {at} {b}",
            "json count": "prints JSON with {b} {at}",
            "json key": "prints JSON with {key} | prints JSON without {key}",
        }
    return forms


_CONTENTS: Forms = {
    "substring": "contains {v} | does not contain {v}",
    "line regexp": "has a line matching {v} | has no line matching {v}",
    "line equal": "has the line {v} | does not contain {v}",
    "line prefix": "has a line matching {from} | has no line matching {from}",
    "line suffix": "has a line matching {to} | has no line matching {to}",
    "line substring": "contains {v} | does not contain {v}",
    "regexp": "matches {v} | does not match {v}",
    "prefix": "matches {start} | does not match {start}",
    "suffix": "matches {end} | does not match {end}",
    "equal": "matches {re} | does not match {re}",
    "json equal": "{as} has {at} equal to {v} | {as} has {at} not equal to {v}",
    "json regexp": "{as} has {at} matching {v} | {as} has {at} not matching {v}",
    "json prefix": "{as} has {at} matching {from} | {as} has {at} not matching {from}",
    "json suffix": "{as} has {at} matching {to} | {as} has {at} not matching {to}",
    "json line equal": "{as} has {at} containing {v} | {as} has {at} not containing {v}",
    "json true": '{as} has {at} equal to "true" | {as} has {at} equal to "false"',
    "json bound": "{as} has {at} {b}",
    "json count": "{as} has {b} {at}",
    "json key": "{as} has {key} | {as} has no {key}",
}
_BODY: Forms = {
    **dict.fromkeys(("substring", "line substring"), "contains {v} | does not contain {v}"),
    "line regexp": "has a line matching {v} | has no line matching {v}",
    "line equal": "has a line matching {line} | has no line matching {line}",
    "line prefix": "has a line matching {from} | has no line matching {from}",
    "line suffix": "has a line matching {to} | has no line matching {to}",
    "regexp": "matches {v} | does not match {v}",
    "prefix": "matches {start} | does not match {start}",
    "suffix": "matches {end} | does not match {end}",
    "equal": "matches {re} | does not match {re}",
    **{
        name: form.replace("has no {key}", "does not have {key}").replace("{as} ", "")
        for name, form in _CONTENTS.items()
        if name.startswith("json ")
    },
}
_CHECKSUM = "has the {} checksum {{v}} | does not have the {} checksum {{v}}"
_OF_HOST = " from the host"
_OWNER: Forms = {
    "equal": "is owned by {v} | is not owned by {v}",
    "one of": "is owned by one of {list} | is owned by none of {list}",
}
_GROUP: Forms = {
    "equal": "belongs to the group {v} | does not belong to the group {v}",
    "one of": "belongs to one of the groups {list} | belongs to none of the groups {list}",
}

KINDS: Mapping[str, Kind] = {
    "package": Kind("packages", "the package {key}", "name", first="installed", attributes={
        "installed": {"true": "is installed | is not installed"},
        "versions": {
            **dict.fromkeys(
                ("line equal", "equal", "version exactly"), "has version {v} | does not have version {v}"
            ),
            **dict.fromkeys(
                ("prefix", "line prefix"),
                "has a version matching {glob from} | does not have a version matching {glob from}",
            ),
            **dict.fromkeys(
                ("suffix", "line suffix"),
                "has a version matching {glob to} | does not have a version matching {glob to}",
            ),
            "version at least": "has at least version {v} | has a version less than {v}",
            "version at most": "has at most version {v} | has a version more than {v}",
            "version less than": "has a version less than {v} | has at least version {v}",
            "version more than": "has a version more than {v} | has at most version {v}",
        },
    }),
    "service": Kind("services", "the service {key}", "name", {
        "enabled": {"true": "is enabled | is not enabled"},
        "running": {"true": "is running | is not running"},
        "runlevels": {
            **dict.fromkeys(
                ("line equal", "equal"), "is enabled in the run level {v} | is not enabled in the run level {v}"
            ),
            "set": "is enabled in exactly the run levels {list} | is not enabled in exactly the run levels {list}",
        },
    }),
    "process": Kind("processes", "the process {key}", "comm", {"running": {"true": "is running | is not running"}}),
    "port": Kind("ports", saying.port, "port", first="listening", attributes={
        "listening": saying.listening,
        "ip": {
            **dict.fromkeys(
                ("line equal", "equal"), "is listening at {v} | is not listening at {v}"
            ),
            "only": "is listening only at {v} | is not listening only at {v}",
        },
    }),
    "file": Kind("files", saying.path, "path", first="exists", readers=("contents",), attributes={
        "exists": saying.exists,
        "filetype": saying.filetype,
        "linked-to": {"equal": "points to {v} | does not point to {v}"},
        "mode": saying.mode,
        "owner": _OWNER,
        "uid": _OWNER,
        "group": _GROUP,
        "gid": _GROUP,
        "size": {"number": "is {b} B in size"},
        "contents": _CONTENTS,
        "md5": {"equal": _CHECKSUM.format("MD5", "MD5")},
        "sha256": {"equal": _CHECKSUM.format("SHA-256", "SHA-256")},
        "sha512": {"equal": _CHECKSUM.format("SHA-512", "SHA-512")},
    }, before={"contains": "contents"}),
    "user": Kind("users", "the user {key}", "username", first="exists", attributes={
        "exists": {"true": "exists | does not exist"},
        "uid": {"equal": "has uid {n} | does not have uid {n}"},
        "gid": {"equal": "has gid {n} | does not have gid {n}"},
        "groups": {
            "line equal": "is in the group {v} | is not in the group {v}",
            "set": "is in exactly the groups {list} | is not in exactly the groups {list}",
        },
        "home": {"equal": "has the home {v} | does not have the home {v}"},
        "shell": {
            "equal": "has the shell {v} | does not have the shell {v}",
            "one of": "has one of the shells {list} | has none of the shells {list}",
        },
    }),
    "group": Kind("groups", "the group {key}", "groupname", first="exists", attributes={
        "exists": {"true": "exists | does not exist"},
        "gid": {"equal": "has gid {n} | does not have gid {n}"},
    }),
    "mount": Kind("mounts", "the mount {key}", "mountpoint", first="exists", attributes={
        "exists": {"true": "exists | does not exist"},
        "opts": {"line equal": "has the option {v} | does not have the option {v}"},
        "vfs-opts": {"line equal": "has the option {v} | does not have the option {v}"},
        "source": {"equal": "comes from {v} | does not come from {v}"},
        "filesystem": {"equal": "is of type {v} | is not of type {v}"},
        "usage": {"number": "the disk {key} is {b} % full"},
        "timeout": saying.other_timeout,
    }),
    "command": Kind("commands", "the command {key}", "exec", readers=("stdout", "stderr"), attributes={
        "exit-status": {
            "equal": "exits {n} | does not exit {n}",
            "one of": "exits one of {list} | exits none of {list}",
        },
        "stdout": _of_output("output"),
        "stderr": _of_output("error"),
        "timeout": {"equal": "takes less than {n} ms"},
    }),
    "kernel-param": Kind("kernel parameters", "the sysctl {key}", "name", {
        "value": {"equal": "is {v} | is not {v}", "one of": "is one of {list} | is none of {list}", "bound": "is {b}"},
    }),
    "interface": Kind("interfaces", "the interface {key}", "name", first="exists", attributes={
        "exists": {"true": "exists | does not exist"},
        "addrs": {
            "line equal": "has the address {v} | does not have the address {v}",
            "line regexp": "has an address matching {v} | has no address matching {v}",
            "line prefix": "has an address matching {from} | has no address matching {from}",
            "line suffix": "has an address matching {to} | has no address matching {to}",
            "line substring": "has an address matching {literal} | has no address matching {literal}",
        },
        "mtu": {"number": "has an MTU of {b}"},
    }),
    "dns": Kind("names", "the name {key}", "resolve", first="resolvable", attributes={
        "resolvable": saying.resolvable,
        "addrs": saying.addresses,
        "timeout": saying.other_timeout,
    }, together={"server": "resolvable"}, before={"resolveable": "resolvable"}),
    "addr": Kind("addresses", "the address {key}", "address", first="reachable", attributes={
        "reachable": saying.reachable,
    }, together={"timeout": "reachable", "local-address": "reachable"}),
    "http": Kind("URLs", urls.subject, "url", tail=_OF_HOST, readers=("body", "headers"), attributes={
        "status": urls.status,
        "timeout": urls.answers_in_time,
        "body": _BODY,
        "headers": urls.headers,
        **dict.fromkeys(
            (
                "no-follow-redirects", "allow-insecure", "request-headers", "request-body", "method", "username",
                "password", "ca-file", "cert-file", "key-file", "proxy",
            ),
            urls.asking,
        ),
    }, before={"header": "headers"}),
    "matching": Kind("values", "{key}", "", {
        "content": comparing.compared,
    }, together={"matches": "content"}),
}  # fmt: skip
