"""The way in to an OpenStack: whose credentials are taken, and keystone's token.

Credentials are looked for where OpenStack's own programs look (openstacksdk's documentation, "Configuring OpenStack SDK
Applications"): `clouds.yaml` with `secure.yaml` beside it, and the variables OS_*. libcloud's own login has one domain
for user and project, and finds a service by the name that most clouds give it; this one goes by the catalogue's types.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.cleaning import Secret
from infratest.errors import UserError, unknown
from infratest.paths import path_of
from infratest.providers.cloud.drivers._endpoint import checked
from infratest.providers.cloud.drivers.base import Settings

#: Files of openstacksdk, in folders that are looked through in this order; the stack's own is where it has the current.
CLOUDS, SECURE = "clouds.yaml", "secure.yaml"
WAYS = (
    "name a `profile:` of clouds.yaml, set OS_CLOUD or OS_AUTH_URL and its companions (an openrc file does), or give "
    "`key:` and `secret:` by secret parameters and keystone's URL as `endpoint:`"
)
#: What an openrc file may say, by clouds.yaml's words.
VARIABLES = (
    "auth_url", "username", "user_id", "password", "project_name", "project_id", "user_domain_name", "user_domain_id",
    "project_domain_name", "project_domain_id", "application_credential_id", "application_credential_name",
    "application_credential_secret",
)  # fmt: skip
SECRETS = ("password", "application_credential_secret")
DEFAULT_DOMAIN = {"id": "default"}
#: Names of a service in the catalogue, the usual one first (OpenStack's service types authority).
TYPES = {"compute": ("compute",), "image": ("image",), "network": ("network",)}
#: A token is renewed when it has less than so many seconds left.
RENEWED = 120.0
#: Seconds that a token is taken to be good for where keystone's time cannot be read.
LIFE = 600.0


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who logs in where. `auth`: clouds.yaml's words for it; its secrets are shown nowhere."""

    auth: Mapping[str, str] = field(repr=False)
    region: str
    interface: str
    ca: str


def login(settings: Settings) -> Login:
    """Return how to log in.

    Raises:
        UserError: there are no credentials, or none that can be used; the message names every place that was looked at.
    """
    environment = settings.environment
    name = settings.profile or environment.get("OS_CLOUD", "")
    found = profile(settings, name) if name else {}
    said = {key: environment.get(f"OS_{key.upper()}", "") for key in VARIABLES}
    auth = {key: str(value) for key, value in (found.get("auth") or {}).items()}
    if not settings.profile:  # a cloud that the stack file names is not mixed with what this shell is set up for
        auth = {key: value for key, value in said.items() if value} | auth
    if settings.key and settings.secret:
        auth |= {"username": settings.key, "password": settings.secret}
    if settings.endpoint:
        auth["auth_url"] = settings.endpoint
    for key in SECRETS:
        if auth.get(key):
            auth[key] = Secret(auth[key])
    _look(auth, name)
    plain = {} if settings.profile else environment
    return Login(
        auth=auth,
        region=settings.region or str(found.get("region_name") or "") or plain.get("OS_REGION_NAME", ""),
        interface=str(found.get("interface") or plain.get("OS_INTERFACE") or "public").removesuffix("URL"),
        ca=settings.ca or str(found.get("cacert") or "") or plain.get("OS_CACERT", ""),
    )


def _look(auth: Mapping[str, str], name: str) -> None:
    """Refuse what cannot log in."""
    start = f"provider cloud, driver openstack{f', cloud {name}' if name else ''}"
    if not auth.get("auth_url"):
        raise UserError(f"{start}: no credentials: keystone's URL is not known; {WAYS}")
    checked(auth["auth_url"], "openstack", f"cloud {name}, auth_url" if name else "OS_AUTH_URL")
    by_password = auth.get("password") and (auth.get("username") or auth.get("user_id"))
    by_application = auth.get("application_credential_secret") and (
        auth.get("application_credential_id") or auth.get("application_credential_name")
    )
    if not by_password and not by_application:
        raise UserError(f"{start}: no credentials: neither user and password nor an application credential; {WAYS}")
    if by_password and not by_application and not (auth.get("project_name") or auth.get("project_id")):
        raise UserError(f"{start}: no project: say project_name in {CLOUDS}, or set OS_PROJECT_NAME")


def profile(settings: Settings, name: str) -> dict[str, Any]:
    """Return what clouds.yaml says of a cloud, with what secure.yaml adds.

    Raises:
        UserError: no file has it, or one cannot be read.
    """
    known: dict[str, Any] = {}
    for file in _files(settings, CLOUDS):
        clouds = _clouds(file)
        if name in clouds:
            found: dict[str, Any] = clouds[name]
            for secret in _files(settings, SECURE):
                more = _clouds(secret).get(name, {})
                found = found | more | {"auth": {**(found.get("auth") or {}), **(more.get("auth") or {})}}
            return found
        known |= clouds
    where = " or ".join(map(str, _files(settings, CLOUDS, there=False)))
    if not known:
        raise UserError(f"provider cloud, driver openstack: cloud {name!r}: there is no {where}; {WAYS}")
    raise UserError(f"provider cloud, driver openstack: {unknown('cloud', name, sorted(known))}")


def files(settings: Settings) -> tuple[Path, ...]:
    """Return every place where the two files are looked for, there or not."""
    return tuple(place.absolute() for name in (CLOUDS, SECURE) for place in _files(settings, name, there=False))


def _files(settings: Settings, name: str, *, there: bool = True) -> list[Path]:
    given = settings.environment.get("OS_CLIENT_CONFIG_FILE" if name == CLOUDS else "OS_CLIENT_SECURE_FILE")
    folders = [settings.folder, settings.home / ".config" / "openstack", Path("/etc/openstack")]
    places = [path_of(Path(), given)] if given else [folder / name for folder in folders]
    return [place for place in places if not there or place.is_file()]


def _clouds(file: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        read = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}") from None
    except YAMLError:  # its message would show the line, which may be a secret
        raise UserError(f"{file} is no YAML") from None
    clouds = read.get("clouds") if isinstance(read, dict) else None
    if not isinstance(clouds, dict) or not all(isinstance(each, dict) for each in clouds.values()):
        raise UserError(f"{file} has no `clouds:` as openstacksdk reads them")
    return clouds


def scope(auth: Mapping[str, str]) -> dict[str, Any]:
    """Return keystone's request for a token (Identity API v3, "Password authentication with scoped authorization")."""
    if auth.get("application_credential_secret"):
        own: dict[str, Any] = {"secret": str(auth["application_credential_secret"])}
        if auth.get("application_credential_id"):
            own["id"] = auth["application_credential_id"]
        else:
            own |= {"name": auth["application_credential_name"], "user": _user(auth)}
        return {"auth": {"identity": {"methods": ["application_credential"], "application_credential": own}}}
    user = _user(auth) | {"password": str(auth["password"])}
    project: dict[str, Any] = {"id": auth.get("project_id")}
    if not project["id"]:
        project = {"name": auth["project_name"], "domain": _domain(auth, "project")}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}}


def _user(auth: Mapping[str, str]) -> dict[str, Any]:
    if auth.get("user_id"):
        return {"id": auth["user_id"]}
    return {"name": auth["username"], "domain": _domain(auth, "user")}


def _domain(auth: Mapping[str, str], whose: str) -> dict[str, str]:
    for key in ("id", "name"):
        if auth.get(f"{whose}_domain_{key}"):
            return {key: auth[f"{whose}_domain_{key}"]}
    return DEFAULT_DOMAIN


class Door:
    """What keystone gave: one token for all threads, and where each service is."""

    def __init__(self, settings: Settings) -> None:
        self.login = login(settings)
        self.lock = threading.Lock()
        self.token = ""
        self._ends = 0.0
        self._catalogue: list[dict[str, Any]] = []
        self.project = ""  # its id, which the token is for

    @property
    def valid(self) -> bool:
        return bool(self.token) and time.monotonic() < self._ends - RENEWED

    @property
    def url(self) -> str:
        """Return where tokens are given, of version 3 of the API, the only one there is since 2018."""
        given = self.login.auth["auth_url"].rstrip("/").removesuffix("/v2.0")
        return given if given.endswith("/v3") else f"{given}/v3"

    def opened(self, token: str, answer: Mapping[str, Any]) -> None:
        """Keep what keystone answered."""
        found = answer["token"]
        self._catalogue = list(found.get("catalog") or ())
        self._ends = time.monotonic() + _life(found)
        self.project = str((found.get("project") or {}).get("id") or "")
        self.token = Secret(token)

    def shut(self, token: str) -> None:
        """A token was refused: the next call asks for another, unless somebody has one already."""
        with self.lock:
            if token == self.token:
                self.token = ""

    def endpoint(self, service: str, region: str) -> str:
        """Return where a service is in a region; without one, in the only region there is.

        Raises:
            UserError: the catalogue has it not, or in several regions.
        """
        urls: dict[str, str] = {}
        for each in self._catalogue:
            if each.get("type") in TYPES[service]:
                for endpoint in each.get("endpoints") or ():
                    if endpoint.get("interface") == self.login.interface:
                        urls[str(endpoint.get("region"))] = str(endpoint["url"])
        if region in urls or (not region and len(urls) == 1):
            return (urls[region] if region else next(iter(urls.values()))).rstrip("/")
        start = "provider cloud, driver openstack"
        if not urls:
            raise UserError(f"{start}: this cloud has no {self.login.interface} service of type {service}")
        if not region:
            raise UserError(f"{start}: which region? say `region:` or set OS_REGION_NAME: {', '.join(sorted(urls))}")
        raise UserError(f"{start}: {unknown('region', region, sorted(urls))}")


def _life(token: Mapping[str, Any]) -> float:
    """Return how many seconds a token lives, by keystone's clock alone: this machine's may be wrong."""
    from datetime import datetime

    try:
        ends, made = (datetime.fromisoformat(str(token[key])) for key in ("expires_at", "issued_at"))
    except (KeyError, ValueError):
        return LIFE
    return (ends - made).total_seconds()
