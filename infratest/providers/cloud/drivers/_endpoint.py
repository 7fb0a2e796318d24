"""The URL of a cloud's API as somebody gave it: looked at before anything goes there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from infratest.cleaning import clean
from infratest.errors import UserError


def checked(url: str, driver: str, source: str) -> str:
    """Return a URL that can be asked, as it was given.

    Args:
        source: where it was given, as `OS_AUTH_URL`.
    Raises:
        UserError: it holds a user or a password, which libcloud would show in its errors and send nowhere useful; or it
        is none, so that libcloud would ask the cloud's own API, or nobody.
    """
    start = f"provider cloud, driver {driver}: {source}"
    shown = repr(clean(re.sub(r"\S*@", "***@", url), 80))
    if "@" in url.rpartition("//")[2].partition("/")[0]:
        raise UserError(
            f"{start}: {shown} holds a user or a password, which go by no URL: remove them from it; who logs in stands "
            "in the environment, in a `profile:`, or in `key:` and `secret:` by secret parameters"
        )
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        fits = False
    if not fits or re.search(r"\s", url):
        raise UserError(f"{start}: {shown} is no URL of an API: say one such as https://cloud.example:5000/v3")
    return url
