"""The fixtures of a session that is about a stack: `stack`, its hosts by name, and `host`, one of them after the other.

`host` is testinfra's object, so that its modules work unchanged; what it runs goes over our transports, with one login
a host and session. Registered last, so that it is taken before that of pytest-testinfra.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from infratest.errors import InfratestError, UserError, unknown
from infratest.hosts import Host
from infratest.pytest_plugin.active import Active
from infratest.pytest_plugin.prefetch import Prefetch
from infratest.pytest_plugin.testinfras import Options, Way

if TYPE_CHECKING:
    import testinfra.host


class Stack:
    """The stack of this session.

    Args:
        hosts: name -> what is known of the host: groups, labels, address, endpoints. prefetch: of the session.
        options: testinfra's, of the session.
    """

    def __init__(self, name: str, env: str, hosts: Mapping[str, Host], prefetch: Prefetch, options: Options) -> None:
        self.name = name
        self.env = env
        self.hosts = dict(hosts)
        self._prefetch = prefetch
        self._options = options
        self._open: dict[Way, Any] = {}

    def host(self, name: str) -> testinfra.host.Host:
        """Return testinfra's object for a host, logged in once a session.

        Raises:
            UserError: no such host, or testinfra is not installed. TransportError: it cannot be logged in to.
        """
        return self.reached(Way(name))

    def reached(self, way: Way) -> testinfra.host.Host:
        """Return testinfra's object for a host, as the user that is said, where the session says no other.

        Raises:
            UserError: no such host, or testinfra is not installed. TransportError: it cannot be logged in to.
        """
        if way.host not in self.hosts:
            raise UserError(unknown("host", way.host, list(self.hosts)))
        sudo, user = way.sudo or self._options.sudo, way.sudo_user or self._options.sudo_user
        way = Way(way.host, sudo, user)
        if way not in self._open:
            try:
                from infratest.pytest_plugin import testinfra_backend
            except ImportError as error:
                raise UserError(f"`host` needs testinfra ({error}): pip install 'infratest[testinfra]'") from None
            ahead = self._prefetch if self._prefetch.enabled else None
            with self._prefetch.ours():
                self._open[way] = testinfra_backend.opened(self.hosts[way.host], ahead, sudo, user)
        return self._open[way]

    __getitem__ = host

    def group(self, name: str) -> list[testinfra.host.Host]:
        """Return the hosts of a group."""
        return [self.host(one.name) for one in self.hosts.values() if name in one.groups]

    def close(self) -> None:
        """Log out everywhere."""
        for opened in self._open.values():
            opened.backend.close()
        self._open.clear()


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The stack: `.hosts` by name, `.host(name)` and `.group(name)` as testinfra's objects."""
    active = cast(Active, request.config.pluginmanager.get_plugin(Active.NAME))
    try:
        with active.prefetch.ours():
            hosts = active.life.hosts
    except InfratestError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    declared = active.session.stack
    made = Stack(declared.name, declared.env, {host.name: host for host in hosts}, active.prefetch, active.testinfras)
    yield made
    made.close()


@pytest.fixture(scope="session")
def _infratest_host(request: pytest.FixtureRequest, stack: Stack) -> Any:
    try:
        return stack.reached(request.param)
    except InfratestError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def host(_infratest_host: Any) -> Any:
    """testinfra's host object of each host of the stack, or of those that `infratest_hosts` names."""
    return _infratest_host
