"""Faults of a server's configuration: an option with another value, or a line that its program does not take.

The server itself goes on with what it has read: it is not told to read it again.
"""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import appended, filtered
from infratest.mutations._postfix import reads
from infratest.mutations.base import Claim, Fault, outside

#: Program -> the file in which its configuration begins.
FILES = {"sshd": "/etc/ssh/sshd_config", "nginx": "/etc/nginx/nginx.conf", "apache": "/etc/apache2/apache2.conf"}
OPPOSITES = {"yes": "no", "no": "yes", "on": "off", "off": "on"}
#: Options of sshd_config(5) whose values are words of a list -> one that few would choose.
WORDS = {
    "permitrootlogin": "yes", "loglevel": "FATAL", "ciphers": "aes128-cbc", "macs": "hmac-sha1",
    "kexalgorithms": "diffie-hellman-group14-sha1", "banner": "/nonexistent", "allowtcpforwarding": "yes",
    "x11forwarding": "yes", "hostbasedauthentication": "yes", "gatewayports": "yes", "compression": "delayed",
    "syslogfacility": "LOCAL7", "permituserenvironment": "yes",
}  # fmt: skip
#: $3: the option and its value. sshd takes the first value of an option: one in the first line is before all.
FIRST = '{ printf "%s\\n" "$3"; cat; }'
#: $3: the directive, $4: its value. nginx' own, in its first file.
DIRECTIVE = 'sed "s|^\\([[:space:]]*$3[[:space:]]\\{1,\\}\\)[^;]*;|\\1$4;|"'


def valid(claim: Claim) -> Act | str:
    """Add a line that its program does not take."""
    file = FILES.get(claim.check.program)
    if claim.negated or file is None:
        return "how it would become valid is not known"
    return appended(file, "infratest_fault yes;")


def equal(claim: Claim) -> Act | str:
    """Another value, or just that one."""
    check = claim.check
    other = check.value if claim.negated else _other(check.name, check.value)
    return _with(check.program, check.name, other)


def number(claim: Claim) -> Act | str:
    """A number that it must not be."""
    other = outside(claim.bound) if claim.bound else None
    return (
        "each number is in the bound" if other is None else _with(claim.check.program, claim.check.name, f"{other:g}")
    )


def _other(name: str, value: str) -> str:
    """Return another value of an option, empty where none is known."""
    word = WORDS.get(name.lower(), "")
    if word and word != value:
        return word
    if value.isdigit():
        return str(int(value) + 1)
    return OPPOSITES.get(value, "")


def _with(program: str, name: str, value: str) -> Act | str:
    """Return what gives an option a value, or why that is not known."""
    words = f"{name} of {program} is made {value}"
    if value and program == "sshd":
        return filtered(FILES[program], FIRST, words, f"{name} {value}")
    if value and program == "nginx":
        return filtered(FILES[program], DIRECTIVE, words, name.rpartition(".")[2], value)
    if value and program == "postfix":
        return reads(words, f"{name}={value}")
    return f"another value of {name} is not known"


FAULTS: dict[str, Fault] = {"ConfigurationValid": valid, "OptionEqual": equal, "OptionNumber": number}
