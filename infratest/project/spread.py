"""Whose workers ask the hosts of a call: the cluster of its scheduler, and the secrets that workers read themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infratest.errors import UserError
from infratest.paths import path_of
from infratest.project.session import Session
from infratest.spread.address import Address

if TYPE_CHECKING:
    from infratest.engine.run import Spread
    from infratest.spread.base import Engine


class Workers:
    """The workers of a scheduler."""

    def __init__(self, scheduler: Address, engine: Engine) -> None:
        self._scheduler = scheduler
        self._engine = engine

    def of(self, session: Session) -> Spread:
        """Return what has the hosts of a run asked by them. Raises UserError: they could not read a secret."""
        from infratest.spread.spreading import Spreading

        return Spreading(self._engine, secrets_of(session, self._scheduler))


@contextmanager
def workers_of(scheduler: Address | None) -> Iterator[Workers | None]:
    """Give the workers of a scheduler; None without one.

    Raises:
        UserError: dask is not installed, or names no certificates.
    """
    if scheduler is None:
        yield None
        return
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        install = "install it with: pip install 'infratest[dask]'"
        raise UserError(f"{scheduler.text}: dask.distributed cannot be imported ({error}); {install}") from error
    from infratest.spread.cluster import Cluster

    cluster = Cluster(scheduler)
    try:
        yield Workers(scheduler, cluster)
    finally:
        cluster.close()


def secrets_of(session: Session, scheduler: Address) -> dict[str, Mapping[str, str]]:
    """Return where workers read the secrets of the stack: they have to know them, to mask them in what hosts say.

    Raises:
        UserError: one that only this call knows.
    """
    found: dict[str, Mapping[str, str]] = {}
    for name, source in session.stack.secrets.items():
        kind, value = next(iter(source.items()), ("", ""))
        if kind == "file":
            found[name] = {kind: str(path_of(session.stack.folder, value))}
        elif kind == "env":
            found[name] = {kind: value}
        else:
            by = "by a program" if kind else "by -D or a default"
            raise UserError(
                f"{scheduler.text}: the secret {name} is known here alone ({by}): workers could not mask it in what "
                "hosts say; write `from: {file: PATH}` or `from: {env: NAME}`, which each worker reads itself"
            )
    return found
