"""What holds for every test: signals reach the programs that tests start, and a busy machine falsifies no property."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from infratest import cleaning
from infratest.store.directory import StateDir

# A shell's background job ignores SIGINT, and what nohup starts SIGHUP; so would every program started here, for only a
# handler is not handed down. `nohup ./run test &` must pass as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

settings.register_profile("infratest", deadline=None)  # tests assert counts and values, never times
settings.load_profile("infratest")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: what is packed holds a time, and each worker must collect the same names."""
    return argname if isinstance(val, bytes) else None


#: Files that take longest, a minute and more: begun first, so that no worker has one of them left when others are done.
LONG = [
    "tests/contracts/test_transports.py", "tests/oracle/test_oracle.py", "tests/providers/test_cloud_ec2.py",
    "tests/providers/test_cloud_cloudstack.py", "tests/engine/test_neighbours.py", "tests/spread/test_cluster.py",
    "tests/acceptance/test_demo.py", "tests/collect/test_script.py", "tests/cli/test_monitor.py",
    "tests/lifecycle/test_another_account.py", "tests/plan/test_kept.py", "tests/providers/test_cloud_components.py",
    "tests/acceptance/test_pages.py", "tests/engine/test_imports.py", "tests/lifecycle/test_kill_container.py",
    "tests/acceptance/test_examples.py", "tests/test_wheel.py", "tests/providers/test_silent_engine.py",
    "tests/conformance/test_faces.py", "tests/contracts/test_provider_components.py", "tests/faults/test_clouds.py",
    "tests/oracle/test_of_servers.py", "tests/acceptance/test_mutate_queues.py",
]  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have workers, which take whole files, begin with those that take longest; all else stays in its order."""
    if hasattr(config, "workerinput"):
        place = {name: at for at, name in enumerate(LONG)}
        items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


def pytest_collection_finish() -> None:
    """Forget the secrets of modules that were imported: each is known in its own module's tests alone."""
    cleaning._secrets.clear()
    cleaning._declared.clear()


@contextmanager
def _secrets_end() -> Iterator[None]:
    """A process masks each secret it has met as long as it lives, in every text of the tests that come after."""
    kept = set(cleaning._secrets), set(cleaning._declared)
    yield
    for known, before in zip((cleaning._secrets, cleaning._declared), kept, strict=True):
        known.intersection_update(before)


@pytest.fixture(scope="module", autouse=True)
def _secrets_end_with_their_module(request: pytest.FixtureRequest) -> Iterator[None]:
    with _secrets_end():
        for value in list(vars(request.module).values()):
            if isinstance(value, cleaning.Secret):
                cleaning.Secret(value)
        yield


@pytest.fixture(autouse=True)
def _secrets_end_with_their_test() -> Iterator[None]:
    with _secrets_end():
        yield


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """An empty state directory."""
    return StateDir(tmp_path / "state")
