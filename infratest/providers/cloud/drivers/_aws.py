"""The way in to EC2: whose credentials are taken, and libcloud's connection with its faults mended.

Credentials are looked for where AWS's own programs look (AWS CLI's documentation, "Configuration and credential file
settings"): the environment, then the profile's part of the shared credentials file and of the configuration file.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from infratest.cleaning import Secret
from infratest.errors import UserError, unknown
from infratest.paths import path_of
from infratest.providers.cloud.drivers._endpoint import checked
from infratest.providers.cloud.drivers.base import Settings

WAYS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a `profile:` of ~/.aws/credentials, or give `key:` and "
    "`secret:` by secret parameters"
)


#: Where the environment says where the API is, the first of them before the other.
URLS = ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")


@dataclass(frozen=True)
class Credentials:
    """Who asks. `secret` and `token` are shown nowhere."""

    key: str
    secret: str
    token: str
    source: str


def credentials(settings: Settings) -> Credentials:
    """Return the credentials of an account.

    Raises:
        UserError: there are none; the message names every place where some are looked for.
    """
    environment = settings.environment
    if settings.key and settings.secret:
        return Credentials(settings.key, Secret(settings.secret), "", "the stack's parameters")
    if not settings.profile and environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"):
        token = environment.get("AWS_SESSION_TOKEN", "")
        secret = Secret(environment["AWS_SECRET_ACCESS_KEY"])
        return Credentials(environment["AWS_ACCESS_KEY_ID"], secret, Secret(token) if token else "", "the environment")
    found = profile(settings)
    if "aws_access_key_id" in found and "aws_secret_access_key" in found:
        token = found.get("aws_session_token", "")
        secret = Secret(found["aws_secret_access_key"])
        source = f"profile {_profile_name(settings)}"
        return Credentials(found["aws_access_key_id"], secret, Secret(token) if token else "", source)
    where = f"profile {settings.profile!r} has none" if settings.profile else "none in the environment or a profile"
    raise UserError(f"provider cloud, driver ec2: no credentials: {where}; {WAYS}")


def region_of(settings: Settings) -> str:
    """Return the region: the stack file's, else the environment's, else the profile's, else us-east-1."""
    environment = settings.environment
    given = settings.region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return given or profile(settings).get("region", "") or "us-east-1"


def endpoint_of(settings: Settings) -> str:
    """Return the URL of an API that is not Amazon's own, empty without one. Raises UserError: it is none."""
    if settings.endpoint:
        return settings.endpoint
    name = next((one for one in URLS if settings.environment.get(one)), "")
    return checked(settings.environment[name], "ec2", name) if name else ""


def profile(settings: Settings) -> dict[str, str]:
    """Return what the two files of AWS say of the profile, those of the credentials file first.

    Raises:
        UserError: a profile is asked for by name and neither file has it.
    """
    name = _profile_name(settings)
    config, shared = map(_sections, files(settings))
    found = config.get(name if name == "default" else f"profile {name}", {}) | shared.get(name, {})
    if settings.profile and not found:
        known = sorted({*shared, *(each.removeprefix("profile ") for each in config)})
        raise UserError(f"provider cloud, driver ec2: {unknown('profile', name, known)}")
    return found


def files(settings: Settings) -> tuple[Path, Path]:
    """Return the two files of AWS, there or not: the configuration and the credentials."""
    kept, environment = settings.home / ".aws", settings.environment
    config = environment.get("AWS_CONFIG_FILE") or str(kept / "config")
    shared = environment.get("AWS_SHARED_CREDENTIALS_FILE") or str(kept / "credentials")
    return path_of(Path(), config).absolute(), path_of(Path(), shared).absolute()


def _profile_name(settings: Settings) -> str:
    return settings.profile or settings.environment.get("AWS_PROFILE") or "default"


def _sections(path: Path) -> dict[str, dict[str, str]]:
    reader = configparser.ConfigParser(interpolation=None, strict=False, default_section="\0none")
    try:
        reader.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    except configparser.Error:  # its message would show the line, which may be a secret
        raise UserError(f"{path} is no configuration file as AWS writes them") from None
    return {name: dict(reader[name]) for name in reader.sections()}


@cache
def _node_driver() -> Any:
    """Return libcloud's driver class with a connection that posts forms, and reads errors in any namespace.

    libcloud puts every parameter into the URL: user data, and in them a private key, would stand in the log of each
    proxy on the way, and long ones are refused. It also repeats a session's token there. An error whose XML names its
    namespace, as some servers of this API write it, is to libcloud an error without a word.
    """
    from libcloud.compute.drivers.ec2 import EC2Connection, EC2NodeDriver, EC2Response

    class Answer(EC2Response):  # type: ignore[misc]
        def parse_error(self) -> Any:
            body: str = vars(self)["body"]
            self.body = re.sub(r' xmlns="[^"]*"', "", body, count=1)
            return super().parse_error()

    class Posting(EC2Connection):  # type: ignore[misc]
        responseCls = Answer

        def request(self, action: str, params: Mapping[str, str] | None = None, **others: Any) -> Any:
            form = urlencode({**(params or {}), "Version": self.version})
            headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
            return super().request(action, data=form, headers=headers, method="POST")

        def add_default_params(self, params: dict[str, str]) -> dict[str, str]:
            return params

    class Ec2(EC2NodeDriver):  # type: ignore[misc]
        connectionCls = Posting

    return Ec2


def connected(settings: Settings, region: str) -> Any:
    """Return a libcloud driver object for one thread; asks nobody.

    Raises:
        UserError: no credentials, or a region that libcloud does not know.
    """
    kind, who = _node_driver(), credentials(settings)
    known = kind.list_regions()
    if region not in known:
        raise UserError(f"provider cloud, driver ec2: {unknown('region', region, sorted(known))}")
    parts = urlsplit(endpoint_of(settings))
    given: dict[str, Any] = {}
    if parts.hostname:
        secure = parts.scheme == "https"
        given = {"host": parts.hostname, "port": parts.port or (443 if secure else 80), "secure": secure}
    # Version 2, libcloud's choice for some regions, is not taken any more by most of what speaks EC2.
    return kind(who.key, who.secret, region=region, token=who.token or None, signature_version="4", **given)
