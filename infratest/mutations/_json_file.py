"""A JSON file with another value for a while; what the faults of docker's daemon do."""

from __future__ import annotations

from infratest.mutations._path import COPIED

#: $2: the file, $3: the key, $4: its value, as JSON. It is replaced wherever a key of that name has a value that is no
#: list and no map, and else put before all others of the outermost map.
VALUED = f"""{COPIED}
if grep -q "\\"$3\\"[[:space:]]*:" "$1"; then
  sed -E "s/(\\"$3\\"[[:space:]]*:[[:space:]]*)(\\"[^\\"]*\\"|[^],}}[:space:]\\"{{[]+)/\\1$4/" "$1" >"$2"
else
  awk -v text="{{ \\"$3\\": $4," '!done && sub(/[{{]/, text) {{ done = 1 }} {{ print }}' "$1" >"$2"
fi
! cmp -s "$1" "$2" || {{ echo "$2 has no $3 of a kind that can be changed" >&2; exit 1; }}"""
