"""Faults of mail servers: nobody is let in; of Postfix, an extension less or more, an open relay, no mail taken."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._in_place import refused
from infratest.mutations._postfix import reads
from infratest.mutations.base import Claim, Fault

NOTHING = "nothing that answers is put in the place of nothing"
OTHERS = "of mail servers, only how Postfix takes mail is changed"


def presence(claim: Claim) -> Act | str:
    """Refuse."""
    address = claim.check.address
    return NOTHING if claim.negated else refused(address.port)


def extension(claim: Claim) -> Act | str:
    """Keep silent about it, or offer it."""
    if "smtp" not in claim.check.url.partition(":")[0]:
        return OTHERS
    name = claim.check.name.upper().split()[0]
    if not claim.negated:
        return reads(f"Postfix does not offer {name}", f"smtpd_discard_ehlo_keywords={name.lower()}")
    if name != "VRFY":
        return f"how Postfix comes to offer {name} is not known"
    return reads("Postfix offers VRFY", "disable_vrfy_command=no", "smtpd_discard_ehlo_keywords=")


def recipient(claim: Claim) -> Act | str:
    """Refuse every recipient, or none."""
    if claim.negated:
        return reads("Postfix takes mail for everybody", *OPEN)
    return reads("Postfix takes mail for nobody", "smtpd_recipient_restrictions=reject")


#: An open relay: whom it trusts, and what it takes from them (postconf(5)). Without a `reject` nobody is served.
OPEN = (
    "mynetworks=0.0.0.0/0 [::]/0",
    "smtpd_relay_restrictions=permit_mynetworks, reject_unauth_destination",
    "smtpd_recipient_restrictions=",
)


def relay(claim: Claim) -> Act | str:
    """Relay for everybody, or for nobody."""
    if claim.negated:
        return reads("Postfix relays for everybody", *OPEN)
    return reads("Postfix relays for nobody", "mynetworks=", "smtpd_relay_restrictions=reject_unauth_destination")


FAULTS: dict[str, Fault] = {
    "MailAnswers": presence,
    "MailExtension": extension,
    "MailRecipient": recipient,
    "MailRelay": relay,
}
