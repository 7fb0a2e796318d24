"""Ports of this machine that lead to hosts: never two machines at one, over processes and while one is halted."""

from __future__ import annotations

import socket
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from infratest.errors import ProviderError
from infratest.providers import _host_ports


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path))
    return tmp_path


def test_what_is_allotted_stays_and_grows() -> None:
    first = _host_ports.allot("a", [22])
    assert _host_ports.allot("a", [22, 80])[22] == first[22]
    assert set(_host_ports.allotted("a")) == {22, 80}
    assert _host_ports.allotted("b") == {}


def test_a_port_is_free_again_after_its_release() -> None:
    first = _host_ports.allot("a", [22])[22]
    _host_ports.release("a")
    _host_ports.release("a")
    assert _host_ports.allot("b", [22])[22] == first


def test_another_list_begins_elsewhere_and_goes_round(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither sees what the other has allotted and does not listen at yet."""
    begins = set()
    for number in range(20):
        monkeypatch.setenv("INFRATEST_CACHE", str(cache / str(number)))
        begins.add(next(_host_ports._in_order()))
        assert sorted(_host_ports._in_order()) == list(range(_host_ports.FIRST, _host_ports.LAST + 1))
    assert len(begins) > 15


def test_where_every_port_is_taken_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_host_ports, "LAST", _host_ports.FIRST + 19)
    everything = range(_host_ports.FIRST, _host_ports.LAST + 1)
    with pytest.raises(ProviderError, match=r"every port from 21000 to 21019 of 127\.0\.0\.1 is taken"):
        _host_ports.allot("a", [22], everything)
    assert _host_ports.allotted("a") == {}


def test_a_port_that_somebody_listens_at_is_passed_over() -> None:
    first = _host_ports.allot("a", [22])[22]
    _host_ports.release("a")
    with socket.socket() as taken:
        taken.bind((_host_ports.LOOPBACK, first))
        taken.listen()
        assert _host_ports.allot("b", [22])[22] != first


def test_processes_never_get_the_same_port() -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        answers = list(pool.map(_host_ports.allot, [f"m{number}" for number in range(40)], [[22, 80]] * 40))
    ports = [port for answer in answers for port in answer.values()]
    assert len(ports) == len(set(ports)) == 80


@pytest.mark.parametrize("text", ["", "[1", "null", "[]", '{"a": 1}', "[" * 200_000])
def test_a_damaged_list_is_told_and_not_overwritten(cache: Path, text: str) -> None:
    (cache / "host-ports.json").write_text(text)
    with pytest.raises(ProviderError, match=r"host-ports\.json: the list of host ports cannot be read"):
        _host_ports.allot("a", [22])
    assert (cache / "host-ports.json").read_text() == text
