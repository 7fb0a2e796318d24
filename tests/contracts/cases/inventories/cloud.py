"""Two servers on moto's EC2 that somebody made, with tags; one that is gone is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.inventories.cloud import Settings
from infratest.providers.cloud.account import Account
from infratest.testing.inventories import Case
from tests.worlds import moto_ec2

REGION = "eu-west-1"  # where no other test is


def account(region: str = REGION) -> Account:
    """Return the account of whoever makes the servers."""
    environment = moto_ec2.credentials()
    return Account(
        Settings(driver="ec2", region=region, endpoint=moto_ec2.cloud().url, environment=environment, home=Path("/"))
    )


def make(name: str, **tags: str) -> str:
    """Have a server made as others make theirs, and return its id."""

    def work(lib):
        image = next(each for each in lib.list_images(ex_owner="self") or lib.list_images())
        size = next(each for each in lib.list_sizes() if each.id == "t3.micro")
        return lib.create_node(name=name, image=image, size=size, ex_metadata=tags)

    return str(account().call(f"making {name}", work, Deadline(30), twice=False).id)


def end(*ids: str) -> None:
    for id in ids:
        account().call("ending", lambda lib, id=id: account().driver.destroy_server(lib, id), Deadline(30))


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    ids = [make("web", env="prod", role="web"), make("db", env="prod", role="db"), make("old", env="prod")]
    end(ids.pop())
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in moto_ec2.credentials().items():
                patch.setenv(name, value)
            yield Case(
                works={"driver": "ec2", "region": REGION, "endpoint": moto_ec2.cloud().url},
                files={},
                hosts={
                    "web": {
                        "groups": (),
                        "labels": {"Name": "web", "env": "prod", "role": "web", "server-state": "running"},
                    },
                    "db": {"labels": {"Name": "db", "env": "prod", "role": "db", "server-state": "running"}},
                },
                refused=({}, {"driver": "ec2", "address": "floating"}, {"driver": 3}),
            )  # fmt: skip
    finally:
        end(*ids)
