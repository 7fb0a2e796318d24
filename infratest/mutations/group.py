"""Faults of a group: taken out of the host's groups, given another id, other members."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._accounts import GROUP_GID, MEMBERS, added, changed, removed
from infratest.mutations.base import Claim, Fault, outside

FREE_ID = "61998"


def presence(claim: Claim) -> Act | str:
    """Take it out of the groups, or add it."""
    return added("group", claim.check.name) if claim.negated else removed("group", claim.check.name)


def group_id(claim: Claim) -> Act | str:
    """Give it another id."""
    return changed("group", claim.check.name, GROUP_GID, str(claim.check.gid) if claim.negated else FREE_ID)


def members(claim: Claim) -> Act | str:
    """List more, or fewer, than it may have."""
    number = outside(claim.bound) if claim.bound else None
    if number is None:
        return "each number of members is in the bound"
    names = ",".join(f"infratest-{place}" for place in range(int(number)))
    return changed("group", claim.check.name, MEMBERS, names)


def member_names(claim: Claim) -> Act | str:
    """List others."""
    names = ",".join(claim.check.listed) if claim.negated else "infratest-fault"
    return changed("group", claim.check.name, MEMBERS, names)


FAULTS: dict[str, Fault] = {
    "GroupExists": presence,
    "GroupId": group_id,
    "GroupMembers": members,
    "GroupMemberNames": member_names,
}
