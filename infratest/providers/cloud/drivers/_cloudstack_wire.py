"""One thread's connection to a CloudStack, by libcloud's classes. Loaded when a cloud is asked.

libcloud's own connection puts every parameter into the URL, user data and so a private key too, and waits by itself
for what takes time, longer than any deadline. Here each request is a signed form, and nothing is waited for.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from libcloud.common.base import ConnectionUserAndKey, JsonResponse

from infratest.providers.cloud.drivers._cloudstack import Login, signed

#: Entries of one page of a list: the most that CloudStack gives unless it was told otherwise.
PAGE = 500


class Answer(JsonResponse):  # type: ignore[misc]
    """An answer; of one that is an error, its own words are the message."""

    def parse_error(self) -> str:
        body: str = self.body
        try:
            (answer,) = json.loads(body).values()
            return str(answer["errortext"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return body


class Connection(ConnectionUserAndKey):  # type: ignore[misc]
    """Posts signed forms."""

    responseCls = Answer
    driver = None  # libcloud's errors ask for it

    def __init__(self, who: Login) -> None:
        super().__init__(who.key, who.secret, url=who.endpoint)
        self._who = who

    def morph_action_hook(self, action: str) -> str:
        """Return where a request goes: to the endpoint as it was given, whatever the command."""
        path: str = self.request_path
        return path

    def ask(self, command: str, params: dict[str, str]) -> dict[str, Any]:
        """Return what a command answers, without the name that stands round it."""
        if self.connection is not None:
            self.connection.ca_cert = self.connection.ca_cert or self._who.ca or None
        form = urlencode(signed({"command": command, **params}, self._who))
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = self.request("", data=form, headers=headers, method="POST").object
        named: dict[str, Any] = answer[f"{command.lower()}response"]
        return named


class Cloud:
    """What the provider hands to the driver's methods: `connection`, as libcloud's own objects have it."""

    def __init__(self, who: Login) -> None:
        self.connection = Connection(who)

    def ask(self, command: str, **params: Any) -> dict[str, Any]:
        """Return what a command answers."""
        return self.connection.ask(command, {name: str(value) for name, value in params.items()})

    def pages(self, command: str, key: str, **params: Any) -> list[dict[str, Any]]:
        """Return a list to its end: an answer holds a page of it, and how many there are in all.

        Raises ValueError: it has none of those that it counts, so that what there is is not known.
        """
        found: list[dict[str, Any]] = []
        number = 1
        while True:
            answer = self.ask(command, page=number, pagesize=PAGE, **params)
            page = answer.get(key, [])
            found += page
            count = int(answer.get("count", 0))
            if count and not found:
                raise ValueError(f"an answer to {command} that counts {count} and has no {key}")
            if not page or len(found) >= count:
                return found
            number += 1
