"""Faults of what a database answers to a statement: of PostgreSQL, another pg_hba.conf than the one it asks about.

The server is not told to read it again, so that it lets nobody in meanwhile; what it says of the file is what stands
there (pg_hba_file_rules). What the lines are about is a database and a role that nobody has.
"""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import COPIED, WRITTEN_BACK
from infratest.mutations.base import Claim, Fault, ScriptAct

#: PostgreSQL, 21.1: lines of pg_hba.conf that let somebody in without a proof, in the clear and from everywhere.
OPEN = "host infratest_fault infratest_fault all trust", "host infratest_fault infratest_fault 192.0.2.1/32 password"
#: A line of it that is wrong.
WRONG = "infratest_fault"
#: $2: the server's own account, $3: how psql reaches it; what comes behind them are lines. Its path is kept at $1.path.
FILE = """account=$2 connection=$3 kept=$1
shift 3
cd /
file=$(su -s /bin/sh -c 'exec psql -X -q -w -A -t -d "$1" -c "SHOW hba_file"' -- "$account" sh "$connection")
printf '%s\\n' "$file" >"$kept.path"
"""
ADDED = f"""{FILE}
put() {{
{COPIED}
}}
put "$kept" "$file"
printf '%s\\n' '' "$@" >>"$file"
"""
RESTORED = f"""if [ -e "$1.path" ]; then
  read -r file <"$1.path"
  set -- "$1" "$file"
  {WRITTEN_BACK}
  rm -f -- "$1.path"
fi"""


def rows(claim: Claim) -> Act | str:
    """Lines of pg_hba.conf that a statement looks for."""
    check = claim.check
    words = check.statement.lower()
    if "hba_file" not in words:
        return "how other rows would be answered is not known"
    if claim.bound is None or claim.bound.holds(claim.bound.top + 1):
        return "more rows are in the bound"
    if check.address.kind != "postgresql" or check.address.host or not check.address.user:
        return "pg_hba.conf is changed of a server that its own account asks by its socket alone"
    lines = (WRONG,) if "error" in words else OPEN
    from infratest.facts.database.postgresql import connection

    given = (check.address.user, connection(check.address), *lines)
    return ScriptAct(f"pg_hba.conf has the lines {'; '.join(lines)}", ADDED, RESTORED, given)


FAULTS: dict[str, Fault] = {"DatabaseRowCount": rows}
