"""Another certificate or key in the place of a host's own for a while; what the faults of such files do."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import COPIED, WRITTEN_BACK
from infratest.mutations.base import ScriptAct

#: $2: the file; what comes behind it are words for openssl-req(1). Its own key is thrown away: nobody is served by it.
TOOL = 'command -v openssl >/dev/null || { echo "openssl is not installed" >&2; exit 1; }\n'
CERTIFIED = f"""{TOOL}{COPIED}
file=$2 kept=$1
shift 2
openssl req -x509 -nodes -keyout "$kept.key" -out "$kept.new" -subj /CN=infratest "$@" 2>"$kept.why" ||
  {{ cat "$kept.why" >&2; exit 1; }}
cat -- "$kept.new" >"$file\""""
#: The same behind what is there.
ADDED = CERTIFIED.replace('cat -- "$kept.new" >', 'cat -- "$kept" "$kept.new" >')
KEYED = f"""{TOOL}{COPIED}
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.new"
cat -- "$1.new" >"$2\""""
AS_BEFORE = f'{WRITTEN_BACK}\nrm -f -- "$1.key" "$1.new" "$1.why"'

#: A key that is made quickly, and that a certificate may have.
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def certified(path: str, words: str, *options: str) -> Act:
    """Return what puts a certificate of its own into a file, made by openssl with these options."""
    return ScriptAct(f"{path} holds a certificate {words}", CERTIFIED, AS_BEFORE, (path, *options))


def added(path: str, words: str, *options: str) -> Act:
    """Return what puts a certificate of its own behind those in a file, made by openssl with these options."""
    return ScriptAct(f"{path} holds one more certificate {words}", ADDED, AS_BEFORE, (path, *options))


def keyed(path: str) -> Act:
    """Return what puts another key into a file."""
    return ScriptAct(f"{path} holds another key", KEYED, AS_BEFORE, (path,))
