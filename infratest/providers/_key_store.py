"""The key pairs that a provider's account keeps under names, to let new hosts be logged in to by them.

Beside the contract of a provider: one whose account has such a store is a `KeyStore`, and has the stack's key pair as a
resource of the kind `keypair`, made by `create` and removed by `destroy` as any other. Called by lifecycle/keystore.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.providers.base import Lease, Request, Resource

KEYPAIR = "keypair"


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """A key pair as its store tells of it.

    Args:
        region: where it is, empty where there is one place alone. home: whether hosts are made there. id: the
        provider's. digest: a fingerprint of whatever form. public: the public half where the store shows it. labels:
        all that it carries.
    """

    name: str
    id: str
    region: str = ""
    home: bool = True
    digest: str = ""
    public: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def resource(self) -> Resource:
        """Return it as what `destroy` takes."""
        return Resource(kind=KEYPAIR, id=self.id, name=self.name, labels=self.labels)


@runtime_checkable
class KeyStore(Protocol):
    """A provider whose account keeps key pairs."""

    def foresee_keys(self) -> None:
        """Asks nobody. Raises UserError: this one has no such store, or nothing of ours is ever in it, and why."""
        ...

    def stored_keys(self, deadline: Deadline) -> list[StoredKey]:
        """Return every key pair of the account, whoever's, in each region that the provider looks at."""
        ...

    def key_request(self, lease: Lease) -> Request:
        """Return what `create` is asked for, to have the stack's key in the store where its hosts are made."""
        ...
