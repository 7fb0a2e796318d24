"""One thread's connection to all services of an OpenStack, by libcloud's classes. Loaded when a cloud is asked.

libcloud has one connection for each service, each of which logs in, and keeps to what the first answer of a list holds.
Here keystone's token is one for all threads, and a list is read to its end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from libcloud.common.base import ConnectionUserAndKey
from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.drivers.openstack import OpenStack_1_1_Response

from infratest.providers.cloud.drivers._openstack import Door, scope


class Answer(OpenStack_1_1_Response):  # type: ignore[misc]
    """An answer; of an error without a word libcloud says `None`."""

    def parse_error(self) -> str:
        return str(super().parse_error()).removesuffix(" None").rstrip()


class Connection(ConnectionUserAndKey):  # type: ignore[misc]
    """Goes to keystone or a service, one after the other, as each call needs."""

    responseCls = Answer
    host: str
    port: int
    secure: bool
    driver = None  # libcloud's errors ask for it

    def __init__(self, door: Door) -> None:
        super().__init__("", "")
        self._door, self._token = door, ""

    def ask(self, service: str, region: str, method: str, path: str, body: Any, params: Mapping[str, Any]) -> Any:
        """Return what a service answers, as JSON has it; a token that is not good any more is renewed once."""
        try:
            return self._asked(service, region, method, path, body, params)
        except BaseHTTPError as error:
            if error.code != 401 or not self._token:
                raise
            self._door.shut(self._token)
        return self._asked(service, region, method, path, body, params)

    def _asked(self, service: str, region: str, method: str, path: str, body: Any, params: Mapping[str, Any]) -> Any:
        self.enter()
        self._go(self._door.endpoint(service, region))
        data = None if body is None else json.dumps(body)
        return self.request(path, method=method, data=data, params=dict(params)).object

    def enter(self) -> None:
        """Have a token: one call for all threads."""
        with self._door.lock:
            if not self._door.valid:
                self._token = ""
                self._go(self._door.url)
                answer = self.request("/auth/tokens", method="POST", data=json.dumps(scope(self._door.login.auth)))
                self._door.opened(answer.headers["x-subject-token"], answer.object)
            self._token = self._door.token

    def _go(self, url: str) -> None:
        """Have the next request go to a URL; the connection is kept where the last one went there too."""
        before = (self.host, self.port, self.secure)
        self.host, self.port, self.secure, self.request_path = self._tuple_from_url(url)
        if before != (self.host, self.port, self.secure):
            self.connect()
        self.connection.ca_cert = self.connection.ca_cert or self._door.login.ca or None

    def connect(self, *given: Any, **named: Any) -> None:
        """Connect, within the limits that the last service was asked in."""
        before = self.connection
        super().connect(*given, **named)
        if before is not None:
            self.connection.session.timeout = before.session.timeout
            self.connection.session.auth = before.session.auth
            self.connection.verify, self.connection.ca_cert = before.verify, before.ca_cert

    def add_default_headers(self, headers: dict[str, str]) -> dict[str, str]:
        headers |= {"Accept": "application/json", "Content-Type": "application/json"}
        return headers | ({"X-Auth-Token": str(self._token)} if self._token else {})


class Cloud:
    """What the provider hands to the driver's methods: `connection`, as libcloud's own objects have it."""

    def __init__(self, door: Door, region: str) -> None:
        self.connection, self.region = Connection(door), region
        self._door = door

    def project(self) -> str:
        """Return the id of the project that is logged in to."""
        self.connection.enter()
        return self._door.project

    def ask(self, service: str, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """Return what a service answers, as JSON has it."""
        return self.connection.ask(service, self.region, method, path, body, params)

    def pages(self, service: str, path: str, key: str, **params: Any) -> list[dict[str, Any]]:
        """Return a list to its end: each answer holds as much of the rest as the cloud gives at once.

        Raises ValueError: it leads back to where it was, so that what there is is not known.
        """
        found: list[dict[str, Any]] = []
        markers: set[str] = set()
        while True:
            answer = self.ask(service, "GET", path, **params)
            page = answer[key]
            found += page
            if not page or not (answer.get(f"{key}_links") or answer.get("next")):
                return found
            params["marker"] = str(page[-1]["id"])
            if params["marker"] in markers:
                raise ValueError(f"a list of {key} that leads back to where it was")
            markers.add(params["marker"])
