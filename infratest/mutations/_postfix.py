"""Postfix with another setting for a while; what the faults of mail servers and of their certificates do."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import COPIED, WRITTEN_BACK
from infratest.mutations.base import ScriptAct

#: The file that postconf(1) writes into, read anew by what Postfix starts from then on.
FILE = "/etc/postfix/main.cf"
OURS = '[ -f "$2" ] || { echo "the mail server is not Postfix, or is configured elsewhere" >&2; exit 1; }'
#: What comes behind $2 are settings, `NAME=VALUE`.
SET = f"""{OURS}
{COPIED}
shift 2
postconf -e "$@"
postfix reload 2>/dev/null"""
AS_BEFORE = f"""if [ -e "$1" ]; then
  {WRITTEN_BACK}
  postfix reload 2>/dev/null
fi"""
#: $2: the file, $3: where another certificate is kept, $4: the days for which it is valid.
CERTIFIED = f"""{OURS}
command -v openssl >/dev/null || {{ echo "openssl is not installed" >&2; exit 1; }}
{COPIED}
openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=infratest -days "$4" \\
  -keyout "$3.key" -out "$3" 2>"$1.why" || {{ cat "$1.why" >&2; exit 1; }}
postconf -e "smtpd_tls_cert_file=$3" "smtpd_tls_key_file=$3.key" smtpd_tls_chain_files= smtpd_tls_eccert_file=
postfix reload 2>/dev/null"""
UNCERTIFIED = f'{AS_BEFORE}\nrm -f -- "$3" "$3.key" "$1.why"'


def reads(words: str, *settings: str) -> Act:
    """Return what has Postfix read other settings, `NAME=VALUE`."""
    return ScriptAct(words, SET, AS_BEFORE, (FILE, *settings))


def certified(days: int) -> Act:
    """Return what has Postfix show a certificate of its own that is valid for so many days."""
    words = f"Postfix shows a certificate for {days} days"
    return ScriptAct(words, CERTIFIED, UNCERTIFIED, (FILE, "/etc/postfix/infratest-fault.pem", str(days)))
