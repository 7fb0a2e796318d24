"""Files of images, from a real server on this machine's loopback and held against their checksum."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.images.fetched import digest_of, fetched, verify

CONTENT = b"an image" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Web:
    """A server that has one image, and says of another that it is longer than what it sends."""

    address: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[Web]:
    given = Web()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.asked.append(self.path)
            if self.path == "/none.ova":
                self.send_error(404)
                return
            self.send_response(200)
            more = 10 if self.path == "/cut.ova" else 0
            self.send_header("Content-Length", str(len(CONTENT) + more))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    given.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield given
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "fetched"


def test_it_is_fetched_once_and_kept_under_its_digest(web, cache):
    path = fetched(f"{web.address}/one.ova?x=1", DIGEST, Deadline(20))
    assert path == cache / f"{DIGEST}.ova"
    assert path.read_bytes() == CONTENT
    assert fetched("http://nowhere.invalid/one.ova", DIGEST, Deadline(20)) == path
    assert web.asked == ["/one.ova?x=1"]


def test_another_content_is_one_clear_error_and_nothing_is_kept(web, cache):
    with pytest.raises(ProviderError, match=f"one.ova is not the file .*expected sha256:{'0' * 64}.*sha256:{DIGEST}"):
        fetched(f"{web.address}/one.ova", "0" * 64, Deadline(20))
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "path, says",
    [("/none.ova", "the server answered 404"), ("/cut.ova", "8000 of 8010 bytes came|IncompleteRead")],
)
def test_what_does_not_come_is_told_and_nothing_is_kept(web, cache, path, says):
    with pytest.raises(ProviderError, match=says):
        fetched(f"{web.address}{path}", DIGEST, Deadline(20))
    assert list(cache.iterdir()) == []


def test_a_server_that_is_not_there_is_told(cache):
    with pytest.raises(ProviderError, match=r"http://127.0.0.1:9/one.ova cannot be fetched into .* MiB free\): "):
        fetched("http://127.0.0.1:9/one.ova", DIGEST, Deadline(20))


def test_a_file_of_this_machine_is_held_against_it_too(tmp_path):
    path = tmp_path / "one.ova"
    path.write_bytes(CONTENT)
    verify(path, DIGEST, Deadline(20))
    with pytest.raises(ProviderError, match="is not the file that its checksum names"):
        verify(path, "1" * 64, Deadline(20))
    with pytest.raises(ProviderError, match="cannot be read: No such file"):
        verify(tmp_path / "none", DIGEST, Deadline(20))


def test_a_checksum_is_sha256_and_64_digits():
    assert digest_of("") == ""
    assert digest_of(f"sha256:{DIGEST.upper()}") == DIGEST
    for text in ("md5:1", DIGEST, "sha256:12", f"sha256:{DIGEST}0"):
        with pytest.raises(UserError, match="write sha256: and the 64 digits"):
            digest_of(text)
