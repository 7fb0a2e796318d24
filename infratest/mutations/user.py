"""Faults of a user: taken out of the host's accounts, given another id, shell or home, another group."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._accounts import COMMENT, GID, HOME, SHELL, UID, added, changed, removed, replaced
from infratest.mutations.base import Claim, Fault

#: An id that few accounts have, one below those of people, and another shell or home than any account's.
FREE_ID, SYSTEM_ID, ELSEWHERE = "61998", "998", "/nonexistent-infratest"

#: $2: the user, $3: the group. It is taken out of the group, and gets another primary one where that was it.
LEAVES = """gid=$(awk -F: -v name="$3" '$1 == name { print $3 }' "$1/group")
awk -F: -v OFS=: -v name="$2" -v gid="$gid" '$1 == name && $4 == gid { $4 = 61998 } { print }' "$1/passwd" >/etc/passwd
awk -F: -v OFS=: -v name="$2" -v group="$3" '$1 == group {
  count = split($4, members, ","); $4 = ""
  for (i = 1; i <= count; i++) if (members[i] != name) $4 = $4 ($4 == "" ? "" : ",") members[i]
} { print }' "$1/group" >/etc/group"""
JOINS = """awk -F: -v OFS=: -v name="$2" -v group="$3" '
  $1 == group { $4 = $4 ($4 == "" ? "" : ",") name } { print }' "$1/group" >/etc/group"""
#: $2: the user. It is in a group more.
IN_ANOTHER = 'echo "infratest-fault:x:61998:$2" >>/etc/group'


def presence(claim: Claim) -> Act | str:
    """Take it out of the accounts, or add it."""
    return added("passwd", claim.check.name) if claim.negated else removed("passwd", claim.check.name)


def user_id(claim: Claim) -> Act | str:
    """Give it another id."""
    return changed("passwd", claim.check.name, UID, str(claim.check.uid) if claim.negated else FREE_ID)


def group_id(claim: Claim) -> Act | str:
    """Give it another primary group."""
    return changed("passwd", claim.check.name, GID, str(claim.check.gid) if claim.negated else FREE_ID)


def primary_group(claim: Claim) -> Act | str:
    """Give it another primary group."""
    if claim.negated:
        return "which id the group has is not known before"
    return changed("passwd", claim.check.name, GID, FREE_ID)


def shell(claim: Claim) -> Act | str:
    """Give it another shell."""
    return changed("passwd", claim.check.name, SHELL, claim.check.shells[0] if claim.negated else ELSEWHERE)


def home(claim: Claim) -> Act | str:
    """Give it another home."""
    return changed("passwd", claim.check.name, HOME, claim.check.home if claim.negated else ELSEWHERE)


def comment(claim: Claim) -> Act | str:
    """Give it another comment."""
    return changed("passwd", claim.check.name, COMMENT, claim.check.comment if claim.negated else "infratest fault")


def in_group(claim: Claim) -> Act | str:
    """Take it out of the group, or put it in."""
    name, group = claim.check.name, claim.check.group
    if claim.negated:
        return replaced(f"{name} is put into the group {group}", JOINS, name, group)
    return replaced(f"{name} is taken out of the group {group}", LEAVES, name, group)


def in_groups(claim: Claim) -> Act | str:
    """Put it into a group more."""
    if claim.negated:
        return "which of many groups are to be left is not known"
    return replaced(f"{claim.check.name} is put into a group more", IN_ANOTHER, claim.check.name)


def system(claim: Claim) -> Act | str:
    """Give it an id of people, or one below those."""
    return changed("passwd", claim.check.name, UID, SYSTEM_ID if claim.negated else FREE_ID)


FAULTS: dict[str, Fault] = {
    "UserExists": presence,
    "UserId": user_id,
    "UserGroupId": group_id,
    "UserPrimaryGroup": primary_group,
    "UserShell": shell,
    "UserHome": home,
    "UserComment": comment,
    "UserInGroup": in_group,
    "UserGroups": in_groups,
    "SystemUser": system,
}
