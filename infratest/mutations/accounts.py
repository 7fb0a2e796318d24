"""Faults of all accounts together: two of one id or name, a second root, an empty password."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._accounts import replaced
from infratest.mutations.base import Claim, Fault

GONE = "two or more accounts would have to be changed"

#: $2: passwd or group. The first entry once more, under another name or another id.
SAME_ID = """awk -F: -v OFS=: '{ print } NR == 1 { $1 = "infratest-fault"; row = $0 } END { print row }' \\
  "$1/$2" >"/etc/$2\""""
SAME_NAME = """awk -F: -v OFS=: '{ print } NR == 1 { $3 = 61998; row = $0 } END { print row }' "$1/$2" >"/etc/$2\""""
#: $2: the id.
ONE_MORE = 'echo "infratest-fault:x:$2:$2::/nonexistent:/usr/sbin/nologin" >>/etc/passwd'
EMPTY = """echo "infratest-fault:x:61998:61998::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
echo "infratest-fault::1:0:99999:7:::" >>/etc/shadow"""


def with_id(claim: Claim) -> Act | str:
    """Add an account of the id."""
    if claim.negated:
        return GONE
    return replaced(f"a user more has uid {claim.check.uid}", ONE_MORE, str(claim.check.uid))


def empty_password(claim: Claim) -> Act | str:
    """Add an account without a password, which no shell lets in."""
    return GONE if claim.negated else replaced("a user has an empty password", EMPTY)


def unique(claim: Claim) -> Act | str:
    """Add the first entry once more."""
    if claim.negated:
        return GONE
    of, file = claim.check.of, claim.check.database
    return replaced(f"two in /etc/{file} have the same {of}", SAME_NAME if of == "name" else SAME_ID, file)


FAULTS: dict[str, Fault] = {"UsersWithId": with_id, "NoEmptyPassword": empty_password, "_Unique": unique}
