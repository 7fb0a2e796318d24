"""Workers of a dask cluster: portions submitted to its scheduler, answers as they come.

dask.distributed knows which workers live, gives what a dead one had to others, and drops what nobody wants any more. A
host goes to the same worker each time, for its connection is open there, and to others while that one is away.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from infratest.cleaning import clean
from infratest.errors import InfratestError, UserError
from infratest.spread.address import LOOPBACK, Address
from infratest.spread.worker import answer

if TYPE_CHECKING:
    from infratest.spread.base import Answered

#: Seconds to connect to the scheduler, and for which its word on who works is believed.
CONNECT, FRESH = 5.0, 1.0
#: What dask says where a scheduler cannot find the function by its name.
UNREAD = "deserialization of the task graph"
#: What dask's settings call the files of TLS, and its Security.
FILES = {"ca-file": "tls_ca_file", "client.cert": "tls_client_cert", "client.key": "tls_client_key"}


class Cluster:
    """The workers of one scheduler, connected to when they are first asked; used by any threads."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._security = _security(address) if address.tls else None
        self._name = secrets.token_hex(8)
        self._lock = Lock()
        self._client: Any = None
        self._workers: tuple[float, list[str]] = (0.0, [])

    def ask(self, portions: Mapping[int, tuple[str, str]]) -> _Asked:
        """Have portions asked, each of the worker that its host belongs to. Raises InfratestError."""
        with self._lock:
            client = self._connected()
            workers = self._known(client)
        by_worker: dict[str, list[int]] = {}
        for number, (host, _) in portions.items():
            by_worker.setdefault(_of(host, workers), []).append(number)
        numbers: dict[Any, int] = {}
        for worker, those in by_worker.items():
            keys = [f"infratest-{self._name}-{number}" for number in those]
            texts = [portions[number][1] for number in those]
            futures = client.map(answer, texts, key=keys, workers=[worker], allow_other_workers=True, pure=False)
            numbers |= dict(zip(futures, those, strict=True))
        return _Asked(client, numbers, self._address.text)

    def close(self) -> None:
        """Leave the scheduler."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close(timeout=CONNECT)

    def _connected(self) -> Any:
        from distributed import Client

        if self._client is not None and self._client.status in ("closed", "closing"):
            self._client = None
        if self._client is None:
            try:
                self._client = Client(
                    self._address.of_dask, security=self._security, timeout=CONNECT, set_as_default=False
                )
            except (OSError, ValueError, RuntimeError) as error:
                words = clean(str(error) or type(error).__name__, 300)
                raise InfratestError(
                    f"{self._address.text}: there is no scheduler of dask: {words}; start one with `dask scheduler`"
                ) from error
        return self._client

    def _known(self, client: Any) -> list[str]:
        """Return the addresses of the workers. Raises InfratestError."""
        asked, workers = self._workers
        if monotonic() - asked < FRESH and workers:
            return workers
        try:
            workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, RuntimeError) as error:
            raise InfratestError(
                f"{self._address.text}: the scheduler says nothing: {clean(str(error), 300)}"
            ) from error
        if not workers:
            raise InfratestError(f"{self._address.text}: it has no workers; start some with `dask worker`")
        for each in workers:
            if not self._address.tls and not each.partition("://")[2].startswith(LOOPBACK):
                raise UserError(
                    f"{self._address.text}: its worker {clean(each, 80)} is not on loopback and speaks without TLS; "
                    "use a scheduler with TLS, and dask+tls://"
                )
        self._workers = (monotonic(), workers)
        return workers


class _Asked:
    def __init__(self, client: Any, numbers: dict[Any, int], where: str) -> None:
        self._client = client
        self._numbers = numbers
        self._where = where

    def answers(self, seconds: float) -> Iterator[Answered]:
        from distributed import as_completed

        coming = as_completed(
            list(self._numbers), loop=self._client.loop, with_results=True, raise_errors=False, timeout=seconds
        )
        try:
            for batch in coming.batches():
                for future, said in batch:
                    yield self._numbers[future], said if isinstance(said, str) else self._failure(said)
        except TimeoutError:
            return

    def drop(self) -> None:
        """Nobody wants them: those that have not begun never will."""
        for future in self._numbers:
            future.release()

    def _failure(self, said: Any) -> InfratestError:
        """Return why there is no answer, as dask tells it: an exception, or that with its type and traceback."""
        error = said[1] if isinstance(said, tuple) and len(said) > 1 else said
        words = f"{type(error).__name__}: {clean(str(error), 300)}"
        if isinstance(error, ImportError) or UNREAD in str(error):
            lacks = "the scheduler, or a worker, lacks infratest; install this one's version on all of them"
            return InfratestError(f"{self._where}: {lacks} ({words})")
        return InfratestError(f"{self._where}: no worker could say: {words}")


def _of(host: str, workers: list[str]) -> str:
    """Return the worker that a host belongs to: the same one as long as it lives, whoever else comes or goes."""
    return max(workers, key=lambda worker: blake2b(f"{worker} {host}".encode(), digest_size=8).digest())


def _security(address: Address) -> Any:
    """Return dask's security, by its own settings. Raises UserError where a file is not named there."""
    from distributed.security import Security

    security = Security(require_encryption=True)
    missing = [f"distributed.comm.tls.{name}" for name, field in FILES.items() if not getattr(security, field)]
    if missing:
        raise UserError(
            f"{address.text}: TLS needs certificates: dask's configuration does not say {', '.join(missing)} "
            "(~/.config/dask/*.yaml, or variables such as DASK_DISTRIBUTED__COMM__TLS__CA_FILE)"
        )
    return security
