"""What the errors of EC2 mean."""

from __future__ import annotations

import re

from infratest.cleaning import clean
from infratest.providers.cloud.drivers.base import Failure

#: Error codes (EC2 API reference, "Error codes"). Limits of the account; then those that say "ask later".
LIMITS = ("LimitExceeded", "InsufficientInstanceCapacity", "InsufficientFreeAddressesInSubnet")
THROTTLED = ("RequestLimitExceeded", "Throttling", "ThrottlingException", "Unavailable", "ServiceUnavailable")
REFUSED = ("AuthFailure", "InvalidClientTokenId", "UnauthorizedOperation", "OptInRequired")
SKEWED = ("RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException")
#: "AWS was not able to validate the provided access credentials": EC2 says so of a wrong clock as well.
UNKNOWN = "AuthFailure"


def meaning(error: Exception, status: int) -> Failure | None:
    """Return what an error means, None for what all clouds have in common; see `Driver.explain`."""
    code, _, message = clean(_unquoted(str(error)), 400).partition(": ")
    words = f"{code}: {message}" if message else code
    if type(error).__name__ == "KeyPairDoesNotExistError":  # what libcloud makes of InvalidKeyPair.NotFound
        return Failure(words="there is no such key pair", gone=True)
    if not re.fullmatch(r"[A-Z][A-Za-z]+(\.[A-Za-z]+)*", code):
        return None
    if code.endswith(".NotFound"):
        return Failure(words=words, gone=True)
    if code in THROTTLED:
        return Failure(words=words, again="later")
    if code in ("DependencyViolation", "IncorrectInstanceState", "IncorrectState"):
        return Failure(words=words, busy=True)
    if "LimitExceeded" in code or code in LIMITS:
        return Failure(words=words, advice="remove what is not needed, take another size, or have the quota raised")
    if code in SKEWED:
        return Failure(words=words, advice="is this machine's clock right, and the secret key?", signed=True)
    if code in REFUSED:
        advice = "look at the credentials and at what they may do"
        return Failure(words=words, advice=advice, signed=code == UNKNOWN)
    return Failure(words=words, again="unsure" if status >= 500 else "")


def _unquoted(text: str) -> str:
    """libcloud's errors of credentials print as the words of Python."""
    return text[1:-1] if text[:1] in "'\"" and text[-1:] == text[:1] else text
