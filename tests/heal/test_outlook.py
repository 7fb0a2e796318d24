"""What the gates are told of what lies outside: witnesses that really listen, and what the journal holds of hosts."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NoReturn

import pytest

from infratest.deadline import Deadline
from infratest.errors import Unreachable
from infratest.project import drifted as drifts
from infratest.project import outlook
from infratest.project.outlook import provisioned, traits, witness
from infratest.project.session import session_of
from infratest.providers.base import HostSpec, Resource
from infratest.store.journal import Journal
from tests.cli.test_heal_gates import port_that_nobody_listens_on
from tests.worlds.heal_world import make_result
from tests.worlds.small_project import write


class Absent(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def test_one_witness_that_answers_anything_is_enough() -> None:
    closed = f"127.0.0.1:{port_that_nobody_listens_on()}"
    server = HTTPServer(("127.0.0.1", 0), Absent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        assert witness((closed, url))() == (True, "a witness answers")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    holds, why = witness((closed, url))()
    assert not holds
    assert why.count("refused") == 2
    assert witness(())() == (True, "no witness is declared")


def test_who_does_not_answer_takes_no_more_than_half_of_what_a_run_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they take: a check that is ended by its own deadline loses what it has seen."""
    given: list[float] = []

    def silent(asked: object, deadline: Deadline) -> NoReturn:
        given.append(deadline.left)
        raise Unreachable("no route")

    monkeypatch.setattr(outlook, "ask_all", silent)
    monkeypatch.setattr(drifts, "opened", silent)
    folder = write(tmp_path, {
        "stack.yaml": "stack: shop\nprovider: local\nhosts: {web: {}}\n",
        "features/shop.feature": 'Feature: f\n  Scenario: s\n    Then the file "/there" exists\n',
    })  # fmt: skip
    session, id = session_of(folder / "stack.yaml"), "features/shop.feature#s@web"
    result = make_result("critical", "web", id=id, feature="features/shop.feature")
    for seconds, most in ((4.0, 2.0), (600.0, None)):
        run = Deadline(seconds, lambda: 0.0)
        with pytest.raises(Unreachable):
            witness(("192.0.2.1:53",), run)()
        (words,) = drifts.drifted(session, lambda id: 1.0, run)(result)
        assert words == "nobody knows which files were changed on web: no route"
        assert given == [most or outlook.SECONDS, most or drifts.SECONDS]
        given.clear()
    over = Deadline(0.0, lambda: 0.0)
    assert witness(("192.0.2.1:53",), over)() == (
        False, "whether a witness answers is not known: no time of this run was left to ask",
    )  # fmt: skip
    assert given == []


def test_files_of_another_project_are_not_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One stands in it, and it has a feature of the same name."""
    for name in ("shop", "other"):
        write(tmp_path / name, {
            "stack.yaml": "stack: shop\nprovider: local\nhosts: {here: {}}\n",
            f"{name}.txt": "",
            "features/shop.feature":
                f'Feature: f\n  Scenario: s\n    Then the file "{tmp_path / name / name}.txt" exists\n',
        })  # fmt: skip
    monkeypatch.chdir(tmp_path / "other")
    session = session_of(tmp_path / "shop" / "stack.yaml")
    result = make_result("critical", "here", id="features/shop.feature#s@here", feature="features/shop.feature")
    (words,) = drifts.drifted(session, lambda id: 1.0)(result)
    assert words.startswith(f"{tmp_path}/shop/shop.txt was changed at ")


def test_hosts_share_their_image_and_the_run_that_provisioned_them(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(
        "stack: shop\nprovider: fake\nhosts: {web: {count: 2}, db: {image: debian-13}}\ndefaults: {image: debian-12}\n"
    )
    session = session_of(tmp_path / "stack.yaml", state=str(tmp_path / "state"))
    journal = Journal(session.state)
    with session.state.lock(1.0, "test"):
        first = journal.begin("up", "shop", "", "fake")
        for name in ("web-1", "web-2", "db"):
            first.made(Resource(kind="host", name=name, id=f"id-{name}"), HostSpec(name=name))
        first.end("done")
        journal.begin("provision", "shop", "", "fake").end("done")
        journal.provisioned("id-web-1", "web-1", "d1")
        journal.provisioned("id-web-2", "web-2", "d1")
        journal.begin("provision", "shop", "", "fake").end("done")
        journal.provisioned("id-db", "db", "d2")
        journal.provisioned("id-db", "db", "")  # brought back to before it
    runs = provisioned(session)
    assert set(runs) == {"web-1", "web-2"}
    assert runs["web-1"][0] == runs["web-2"][0] <= runs["web-1"][1]
    found = traits(session)()
    assert found["web-1"] == found["web-2"]
    assert found["db"] == {"image": "debian-13"}
    assert found["web-1"]["image"] == "debian-12"
