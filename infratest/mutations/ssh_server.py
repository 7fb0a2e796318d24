"""Faults of an SSH server: it offers what it should not, or not what it should; it is told to read that, and again."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.globs import fits, is_pattern
from infratest.mutations._path import COPIED, WRITTEN_BACK
from infratest.mutations.base import Claim, Fault, ScriptAct

#: Restarted, which leaves sessions alone, and not reloaded: a second SIGHUP that comes while the server begins anew
#: ends it. Two restarts in a row are no failure (StartLimitBurst in systemd.unit(5)).
READ = """unit=ssh
  systemctl cat ssh >/dev/null 2>&1 || unit=sshd
  systemctl reset-failed -- "$unit" 2>/dev/null || :
  systemctl restart -- "$unit\""""
#: $2: the server's configuration, $3: the line that comes first and so counts (sshd_config(5)).
OFFERED = f"""{COPIED}
{{ printf '%s\\n' "$3"; cat -- "$1"; }} >"$2"
{READ}"""
AS_BEFORE = f"""if [ -e "$1" ]; then
  {WRITTEN_BACK}
  {READ}
fi"""
#: The sort of what is offered -> its option, and what of it few should offer and OpenSSH still can.
WEAK = {
    "cipher": ("Ciphers", ("3des-cbc", "aes128-cbc", "aes256-cbc", "aes128-ctr")),
    "MAC": ("MACs", ("hmac-sha1", "hmac-md5", "umac-64@openssh.com", "hmac-sha1-96", "hmac-sha2-256")),
    "key exchange": (
        "KexAlgorithms",
        ("diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1"),
    ),
}


def offers(claim: Claim) -> Act | str:
    """Offer what should not be, or no longer what should."""
    check = claim.check
    if check.sort not in WEAK:
        return f"another {check.sort} would need another key"
    option, weak = WEAK[check.sort]
    if not check.only:
        return _reads_more(option, weak, check.name) if claim.negated else _reads(f"{option} -{check.name}")
    if claim.negated:
        return "what it would offer alone is not known"
    more = next((one for one in weak if not any(fits(each, one) for each in check.names)), "")
    return _reads(f"{option} +{more}") if more else f"which {check.sort} it should not offer is not known"


def _reads_more(option: str, weak: tuple[str, ...], name: str) -> Act | str:
    more = next((one for one in weak if fits(name, one)), "" if is_pattern(name) else name)
    return _reads(f"{option} +{more}") if more else f"which of {name} it could offer is not known"


def _reads(line: str) -> Act:
    return ScriptAct(f"sshd reads {line!r}", OFFERED, AS_BEFORE, ("/etc/ssh/sshd_config", line))


FAULTS: dict[str, Fault] = {"SshOffers": offers}
