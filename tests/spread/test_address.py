from __future__ import annotations

import pytest

from infratest.errors import UserError
from infratest.spread.address import address, is_address


@pytest.mark.parametrize(
    "text, of_dask",
    [
        ("dask://127.0.0.1:8786", "tcp://127.0.0.1:8786"),
        ("dask://127.3.0.1", "tcp://127.3.0.1:8786"),
        ("dask://localhost:1", "tcp://localhost:1"),
        ("dask://[::1]:8786", "tcp://[::1]:8786"),
        ("dask+tls://scheduler.example:9000", "tls://scheduler.example:9000"),
        ("dask+tls://127.0.0.1", "tls://127.0.0.1:8786"),
    ],
)
def test_addresses(text: str, of_dask: str):
    assert is_address(text)
    assert address(text).of_dask == of_dask


@pytest.mark.parametrize(
    "text, message",
    [
        ("dask://192.0.2.1:8786", "dask://192.0.2.1:8786 is not on loopback"),
        ("dask://scheduler.example", "use dask+tls://scheduler.example:8786"),
        ("dask://localhost.example:1", "is not on loopback"),
        ("dask://127.0.0.1.example:1", "is not on loopback"),
        ("dask://0.0.0.0:8786", "is not on loopback"),
        ("dask://127.0.0.1:99999", "is no address of a scheduler: Port out of range"),
        ("dask://user:word@127.0.0.1:1", "is no address of a scheduler"),
        ("dask://", "is no address of a scheduler"),
        ("dask+tls://h:1/?ca=x", "is no address of a scheduler"),
    ],
)
def test_what_is_none(text: str, message: str):
    with pytest.raises(UserError) as caught:
        address(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["16", "tcp://127.0.0.1:1", "dask", "tls://h:1", "daskx://h"])
def test_what_is_not_meant_for_one(text: str):
    assert not is_address(text)
