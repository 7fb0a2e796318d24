"""Why a certificate is not trusted, out of the words of those who looked at it.

Called by the fact `http`. curl says what its TLS library says; of those only OpenSSL's and its kin's words tell the
reasons apart (X509_verify_cert_error_string(3)), GnuTLS' do not.
"""

from __future__ import annotations

from infratest.facts.http.reply import EARLY, EXPIRED, OTHER, OTHER_NAME, UNKNOWN_AUTHORITY

#: Parts of messages, in lower case. curl's own of a name are in lib/vtls/ of its source, OpenSSL's in crypto/x509.
WORDS = (
    ("certificate has expired", EXPIRED),
    ("certificate is not yet valid", EARLY),
    ("no alternative certificate subject name matches", OTHER_NAME),
    ("does not match target host", OTHER_NAME),
    ("hostname mismatch", OTHER_NAME),
    ("ip address mismatch", OTHER_NAME),
    ("certificate is not valid for", OTHER_NAME),
    ("unable to get local issuer certificate", UNKNOWN_AUTHORITY),
    ("unable to get issuer certificate", UNKNOWN_AUTHORITY),
    ("unable to verify the first certificate", UNKNOWN_AUTHORITY),
    ("self-signed certificate", UNKNOWN_AUTHORITY),
    ("self signed certificate", UNKNOWN_AUTHORITY),
)


def distrust_of(words: str) -> str:
    """Return why a certificate that was not trusted was not."""
    lowered = words.lower()
    return next((reason for part, reason in WORDS if part in lowered), OTHER)
