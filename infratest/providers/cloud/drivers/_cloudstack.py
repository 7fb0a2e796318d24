"""The way in to a CloudStack: whose credentials are taken, and how a request is signed.

Credentials are looked for where `cs` and Ansible's modules look (cs's documentation, "Configuration"): the variables
CLOUDSTACK_*, else a section of `cloudstack.ini`.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from infratest.cleaning import Secret
from infratest.errors import UserError, unknown
from infratest.paths import path_of
from infratest.providers.cloud.drivers._endpoint import checked
from infratest.providers.cloud.drivers.base import Settings

#: The name of the file, and of the section that is taken when nobody names one.
FILE, SECTION = "cloudstack.ini", "cloudstack"
WAYS = (
    "set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET, have them in cloudstack.ini (`profile:` names a "
    "section of it), or give `key:` and `secret:` by secret parameters and the API's URL as `endpoint:`"
)
#: Seconds for which a signature is good, so that a request that somebody kept is refused later.
GOOD = 600


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who asks, and where. `secret` is shown nowhere. `ca`: a file of certificates, empty for the system's."""

    endpoint: str
    key: str
    secret: str = field(repr=False)
    ca: str = ""


def login(settings: Settings) -> Login:
    """Return how to log in.

    Raises:
        UserError: there are no credentials, or none that can be used; the message names every place that was looked at.
    """
    given = {} if settings.profile else settings.environment  # a named section is not mixed with this shell's account
    said = {key: given.get(f"CLOUDSTACK_{key.upper()}", "") for key in ("endpoint", "key", "secret", "verify")}
    own = {"endpoint": settings.endpoint, "key": settings.key, "secret": settings.secret}
    found = said | {key: value for key, value in own.items() if value}
    if settings.profile or not all(found[key] for key in own):
        found = _section(settings) | {key: value for key, value in found.items() if value}
    missing = [key for key in own if not found.get(key)]
    if missing:
        where = f", section {settings.profile}" if settings.profile else ""
        raise UserError(f"provider cloud, driver cloudstack{where}: no credentials: no {', no '.join(missing)}; {WAYS}")
    source = "CLOUDSTACK_ENDPOINT" if said["endpoint"] else "cloudstack.ini, endpoint"
    checked(found["endpoint"], "cloudstack", "endpoint" if settings.endpoint else source)
    verify = found.get("verify", "")
    ca = settings.ca or ("" if verify.lower() in ("", "true", "false", "yes", "no", "1", "0") else verify)
    return Login(endpoint=found["endpoint"], key=found["key"], secret=Secret(found["secret"]), ca=ca)


def files(settings: Settings) -> tuple[Path, ...]:
    """Return the places where the file is looked for, there or not, the first that has the section first."""
    config = settings.environment.get("CLOUDSTACK_CONFIG")
    places = [path_of(Path(), config)] if config else [settings.folder / FILE, settings.home / f".{FILE}"]
    return tuple(place.absolute() for place in places)


def _section(settings: Settings) -> dict[str, str]:
    """Return what the first file says that has the section. Raises UserError: one is named that no file has."""
    name = settings.profile or settings.environment.get("CLOUDSTACK_REGION") or SECTION
    places = files(settings)
    known: list[str] = []
    for place in places:
        sections = _sections(place)
        if name in sections:
            return sections[name]
        known += sections
    if settings.profile:
        if not known:
            words = f"section {name!r}: there is no {' or '.join(map(str, places))}; {WAYS}"
            raise UserError(f"provider cloud, driver cloudstack: {words}")
        raise UserError(f"provider cloud, driver cloudstack: {unknown('section', name, sorted(known))}")
    return {}


def _sections(path: Path) -> dict[str, dict[str, str]]:
    reader = configparser.ConfigParser(interpolation=None, strict=False, default_section="\0none")
    try:
        reader.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    except configparser.Error:  # its message would show the line, which may be a secret
        raise UserError(f"{path} is no configuration file as cs writes them") from None
    return {name: {key: value.strip("\"'") for key, value in reader[name].items()} for name in reader.sections()}


def signed(params: Mapping[str, str], who: Login) -> dict[str, str]:
    """Return a request's parameters with key, time of expiry and signature.

    CloudStack's developer guide, "How to sign an API call": names in order, values quoted as Java's URLEncoder does but
    for blanks, all in lower case, HMAC-SHA1. libcloud leaves `~` unquoted, and out of the signature what it posts.
    """
    expires = datetime.now(UTC) + timedelta(seconds=GOOD)
    whole = dict(params) | {
        "apiKey": who.key,
        "response": "json",
        "signatureVersion": "3",
        "expires": expires.strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
    text = "&".join(f"{name}={_quoted(value)}" for name, value in sorted(whole.items()))
    digest = hmac.digest(str(who.secret).encode(), text.lower().encode(), hashlib.sha1)
    return whole | {"signature": base64.b64encode(digest).decode("ascii")}


def _quoted(value: str) -> str:
    return quote(value, safe="*").replace("~", "%7E")
