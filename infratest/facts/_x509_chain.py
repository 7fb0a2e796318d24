"""Whether a certificate is verified by others, as OpenSSL does it; no store of this machine is used.

Pure: certificates in, words out. RFC 5280, 6; what `openssl verify -CAfile CA -untrusted CHAIN CERTIFICATE` says.
"""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import FactError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from infratest.facts._x509 import Certificate


def unverified(one: Certificate, between: Iterable[Certificate], trusted: Iterable[Certificate], now: int) -> str:
    """Return why a certificate is not verified, in OpenSSL's words; nothing where it is.

    Args:
        between: certificates that may lead to a trusted one. now: seconds since 1970 at which all must be valid.
    Raises:
        FactError: the library is not here, or cannot read one of them.
    """
    try:
        from OpenSSL import crypto
    except ImportError:
        raise FactError("pyOpenSSL is not installed here: pip install 'infratest[tls]'") from None
    from datetime import UTC, datetime

    try:
        store = crypto.X509Store()
        for each in trusted:
            store.add_cert(_read(each))
        store.set_time(datetime.fromtimestamp(now, UTC).replace(tzinfo=None))
        context = crypto.X509StoreContext(store, _read(one), [_read(each) for each in between])
        context.verify_certificate()
    except crypto.X509StoreContextError as error:
        return str(error)
    except (crypto.Error, ValueError, TypeError) as error:
        raise FactError(f"OpenSSL cannot read a certificate: {beginning(str(error), 200)}") from None
    return ""


def _read(one: Certificate) -> Any:
    from base64 import b64decode

    from OpenSSL import crypto

    return crypto.load_certificate(crypto.FILETYPE_ASN1, b64decode(one.encoded))


def signed_by(one: Certificate, other: Certificate) -> bool:
    """Return whether another certificate has signed one: its name is the issuer's, and its key fits the signature.

    Raises:
        FactError: such a signature cannot be verified here.
    """
    from base64 import b64decode

    from cryptography import x509

    from infratest.facts._x509 import has_signed

    below, above = (x509.load_der_x509_certificate(b64decode(each.encoded)) for each in (one, other))
    if below.issuer != above.subject:
        return False
    signed = has_signed(above.public_key(), below)
    if signed is None:
        words = f"whether {other.subject} has signed {one.subject} is not known"
        raise FactError(f"{words}: a signature by {one.signature} is not verified here")
    return signed
