"""Faults of quotas: another limit for a user or a group, or none, by setquota(8); nobody loses anything that he has."""

from __future__ import annotations

from math import ceil

from infratest.acts.base import Act
from infratest.mutations.base import Claim, Fault, ScriptAct, outside

BLOCK = 1024
#: A limit that nobody reaches, and one that everybody does who has a file: in blocks of 1 KiB.
LARGE, SMALL = 2**30, 1

#: $2: the path, $3: user or group, $4: the name, empty for whoever uses most. Sets `id`, and what it uses and may, as
#: repquota(8) lists it: `used`, `soft`, `hard` in blocks, `files`, `soft_files`, `hard_files`; keeps these limits.
KEPT = r"""command -v setquota >/dev/null || { echo "setquota is not installed" >&2; exit 1; }
case $3 in user) kind=-u ;; *) kind=-g ;; esac
rows=$(LC_ALL=C repquota "$kind" -n -p -O csv -- "$2" | grep '^#') || { echo "$2 has no quotas of $3s" >&2; exit 1; }
if [ -z "$4" ]; then
  id=$(printf '%s\n' "$rows" | sort -t, -k4,4nr | sed -n '1s/^#\([0-9]*\),.*/\1/p')
elif [ "$3" = user ]; then id=$(id -u -- "$4")
else id=$(getent group -- "$4" | cut -d: -f3)
fi
[ -n "$id" ] || { echo "whose quota it is on $2 is not known: $3 $4" >&2; exit 1; }
row=$(printf '%s\n' "$rows" | awk -F, -v id="#$id" '$1 == id { print $4, $5, $6, $8, $9, $10 }')
read -r used soft hard files soft_files hard_files <<END
${row:-0 0 0 0 0 0}
END
printf '%s\n' "$id $soft $hard $soft_files $hard_files" >"$1.part"
mv -- "$1.part" "$1"
"""
#: $5: what is set: none, space ($6 blocks), a share of it or of files ($6 percent), or less than is used.
SET = f"""{KEPT}
share() {{
  [ "$1" -gt 0 ] || {{ echo "$3 $4 uses nothing of $2" >&2; exit 1; }}
  awk -v used="$1" -v percent="$6" 'BEGIN {{ limit = int(used * 100 / percent); printf "%.0f", limit ? limit : 1 }}'
}}
case $5 in
  none) soft=0 hard=0 soft_files=0 hard_files=0 ;;
  space) soft=0 hard=$6 ;;
  share) soft=0; hard=$(share "$used" "$2" "$3" "$4" "$5" "$6") ;;
  files) soft_files=0; hard_files=$(share "$files" "$2" "$3" "$4" "$5" "$6") ;;
  over) [ "$used" -gt {SMALL} ] || {{ echo "nobody uses anything of $2" >&2; exit 1; }}; soft={SMALL} ;;
esac
setquota "$kind" "$id" "$soft" "$hard" "$soft_files" "$hard_files" "$2\""""
RESTORED = """if [ -s "$1" ]; then
  case $3 in user) kind=-u ;; *) kind=-g ;; esac
  read -r id soft hard soft_files hard_files <"$1"
  setquota "$kind" "$id" "$soft" "$hard" "$soft_files" "$hard_files" "$2"
fi
rm -f -- "$1" "$1.part\""""


def exceeded(claim: Claim) -> Act | str:
    """Somebody may have less than he has."""
    check = claim.check
    if not claim.negated:
        return "who is over a quota is given no more"
    return _set(claim, f"the {check.holder} that uses most of {check.path} may have {SMALL} KiB there", "over")


def presence(claim: Claim) -> Act | str:
    """No limit, or one."""
    check = claim.check
    if claim.negated:
        return _set(claim, f"{check.subject} is given a quota for {check.path}", "space", LARGE)
    return _set(claim, f"{check.subject} has no quota for {check.path} any more", "none")


def size(claim: Claim) -> Act | str:
    """A limit that is out of the bound."""
    number = outside(claim.bound) if claim.bound else None
    blocks = SMALL if number is None else max(SMALL, ceil(number / BLOCK))
    if claim.bound is None or claim.bound.holds(blocks * BLOCK):
        return "each size is in the bound"
    return _set(claim, f"{claim.check.subject} may have {blocks} KiB of {claim.check.path}", "space", blocks)


def used(claim: Claim) -> Act | str:
    """A limit of which what is used is a share out of the bound."""
    return _share(claim, "share")


def used_files(claim: Claim) -> Act | str:
    """The same of files."""
    return _share(claim, "files")


def _share(claim: Claim, what: str) -> Act | str:
    bound = claim.bound
    # Limits are whole numbers: the share is made far from the bound.
    far = next((one for one in (0.1, 2 * bound.top + 100) if not bound.holds(one)), None) if bound else None
    if far is None or far == float("inf"):
        return "each share is in the bound"
    words = f"{claim.check.subject} uses about {far:g} % of its quota for {claim.check.path}"
    return _set(claim, words, what, far)


def _set(claim: Claim, words: str, what: str, number: float = 0) -> Act:
    check = claim.check
    arguments = (check.path.rstrip("/") or "/", check.holder, getattr(check, "name", ""), what, f"{number:.10g}")
    return ScriptAct(words, SET, RESTORED, arguments)


FAULTS: dict[str, Fault] = {
    "QuotaExceeded": exceeded,
    "QuotaThere": presence,
    "QuotaSize": size,
    "QuotaUsed": used,
    "QuotaFilesUsed": used_files,
}
