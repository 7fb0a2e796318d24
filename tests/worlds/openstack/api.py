"""A small client of OpenStack's APIs, for what a test does as the cloud's owner: projects, users, quotas, images."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.worlds.openstack import settings

SECONDS = 60.0


class Refused(Exception):
    """A service answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Api:
    """Calls of one user in one project.

    Args:
        identity: keystone's address. user, password, project: who calls, in whose name; by default the cloud's owner.
    """

    def __init__(
        self,
        identity: str,
        user: str = settings.ADMIN,
        password: str = settings.PASSWORD,
        project: str = settings.ADMIN,
    ) -> None:
        self.identity = identity
        domain = {"id": "default"}
        who = {"password": {"user": {"name": user, "password": password, "domain": domain}}, "methods": ["password"]}
        self._login = {"auth": {"identity": who, "scope": {"project": {"name": project, "domain": domain}}}}
        answer = self._log_in()
        self.project = answer["token"]["project"]["id"]
        self.user = answer["token"]["user"]["id"]
        self.urls = {
            (service["type"], endpoint["region"]): endpoint["url"]
            for service in answer["token"]["catalog"]
            for endpoint in service["endpoints"]
            if endpoint["interface"] == "public"
        }

    def get(self, service: str, path: str, **headers: str) -> Any:
        return self.call("GET", service, path, None, **headers)

    def post(self, service: str, path: str, body: Any, **headers: str) -> Any:
        return self.call("POST", service, path, body, **headers)

    def call(self, method: str, service: str, path: str, body: Any, **headers: str) -> Any:
        """Return what a service answers.

        Args:
            service: its type in the catalogue. body: bytes as they are, else JSON. headers: with `_` for `-`.
        """
        url = self.urls[service, settings.REGION] + path
        try:
            return self._send(method, url, body, headers)[0]
        except Refused as refused:
            if refused.status != 401:
                raise
        # keystone's tokens are good for an hour, and a session of tests that shares one cloud lasts longer.
        self._log_in()
        return self._send(method, url, body, headers)[0]

    def _log_in(self) -> Any:
        """Have a token, which later calls are sent with, and return what keystone tells of it."""
        self.token = ""
        answer, headers = self._send("POST", self.identity + "/v3/auth/tokens", self._login, {})
        self.token = headers["X-Subject-Token"]
        return answer

    def _send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> tuple[Any, Any]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, method=method)
        request.add_header(
            "Content-Type", "application/octet-stream" if isinstance(body, bytes) else "application/json"
        )
        if self.token:
            request.add_header("X-Auth-Token", self.token)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read().decode("utf-8", "replace")) from None
