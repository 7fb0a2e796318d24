"""Clouds that are not to be trusted, that say nothing, or that nobody finds: told in time, in words that lead on.

EC2 is moto's, the others are simulators; what stands before them speaks real TLS.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.up import up
from infratest.stack import file
from infratest.store.directory import StateDir
from tests.worlds import cloudstack_simulator, moto_ec2
from tests.worlds.certificates import Authority, authority, proxy_with_tls
from tests.worlds.fault_proxy import Fault, proxy
from tests.worlds.small_clouds_simulator import TOKEN, small_clouds
from tests.worlds.small_project import run

#: Where a cloud is, by its own URL; what its provider and the environment say.
World = tuple[str, Mapping[str, Any], Mapping[str, str]]


@contextmanager
def ec2() -> Iterator[World]:
    yield moto_ec2.cloud().url, moto_ec2.options(), moto_ec2.credentials()


@contextmanager
def cloudstack() -> Iterator[World]:
    yield cloudstack_simulator.simulator().url, cloudstack_simulator.options(), cloudstack_simulator.credentials()


@contextmanager
def linode() -> Iterator[World]:
    with small_clouds() as running:
        yield running.url, {"driver": "linode", "region": "nyc3", "key": "{param.token}"}, {"SMALL_CLOUD": TOKEN}


CLOUDS: dict[str, Callable[[], Any]] = {"ec2": ec2, "cloudstack": cloudstack, "linode": linode}


class Stack:
    """A stack of one host in a folder of its own, whose provider asks at some URL."""

    def __init__(self, folder: Path, options: Mapping[str, Any], url: str, **others: str) -> None:
        folder.mkdir(exist_ok=True)
        self.file, host = folder / "stack.yaml", moto_ec2.host_options() if options["driver"] == "ec2" else {}
        host = host or cloudstack_simulator.host_options()
        declared = {
            "stack": "shop", "provider": {"name": "cloud", **options, "endpoint": url, **others},
            "parameters": {"token": {"type": "string", "secret": True, "from": {"env": "SMALL_CLOUD"}}},
            "hosts": {"web": {key.replace("_", "-"): value for key, value in host.items()}},
        }  # fmt: skip
        self.file.write_text(json.dumps(declared))
        self.state = StateDir(folder / ".infratest")

    def life(self, seconds: float = 60) -> Lifecycle:
        return Lifecycle(file.load(self.file), self.state, deadline=Deadline(seconds))


@pytest.fixture(params=CLOUDS)
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with CLOUDS[request.param]() as found:
        monkeypatch.setenv("SMALL_CLOUD", TOKEN)
        for name, value in found[2].items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def signer(tmp_path: Path) -> Authority:
    return authority(tmp_path)


def path_of(url: str) -> str:
    """Return the path of a URL, as the endpoint of a CloudStack has one."""
    return url.partition("//")[2].partition("/")[2]


def refusal(stack: Stack) -> str:
    with pytest.raises(ProviderError) as caught:
        up(stack.life(20))
    assert "nothing had been made" in str(caught.value)
    return str(caught.value)


class TestTls:
    def test_an_own_authority_is_refused_until_it_is_named(self, world, signer, tmp_path):
        url, options, _ = world
        with proxy_with_tls(url, signer.sign("127.0.0.1")) as api:
            place = api.url + path_of(url)
            words = refusal(Stack(tmp_path / "a", options, place))
            assert "certificate" in words
            assert "its certificate is not trusted; name its authority's file with `ca:`" in words
            assert not api.calls
            trusted = Stack(tmp_path / "b", options, place, ca=str(signer.file))
            try:
                up(trusted.life())
                assert api.calls
            finally:
                destroy(trusted.life())
            assert trusted.life().provider.existing(Deadline(30)) == []

    def test_a_certificate_of_another_name(self, world, signer, tmp_path):
        url, options, _ = world
        with proxy_with_tls(url, signer.sign("elsewhere.example")) as api:
            stack = Stack(tmp_path / "a", options, api.url + path_of(url), ca=str(signer.file))
            assert "name it in `endpoint:` as its certificate does" in refusal(stack)
            assert not api.calls

    def test_a_certificate_that_has_expired(self, world, signer, tmp_path):
        url, options, _ = world
        with proxy_with_tls(url, signer.sign("127.0.0.1", ends=timedelta(days=-1))) as api:
            words = refusal(Stack(tmp_path / "a", options, api.url + path_of(url), ca=str(signer.file)))
            assert "certificate has expired" in words
            assert "is this machine's clock right? Else it needs a new certificate" in words
            assert not api.calls


class TestSilence:
    def test_a_cloud_that_accepts_and_says_nothing_is_named_while_it_is_waited_for(self, world, tmp_path):
        url, options, _ = world
        with socket.create_server(("127.0.0.1", 0)) as silent:
            place = f"127.0.0.1:{silent.getsockname()[1]}"
            stack = Stack(tmp_path / "a", options, f"http://{place}/{path_of(url)}")
            done = run(stack.file.parent, "infratest", "up", "--timeout", "10s")
        assert done.returncode == 1, done
        said, _, ended = done.stderr.partition("infratest: up of shop: ")
        assert f"waiting for {options['driver']}" in said
        assert f"({place}), which does not answer yet; it is given " in said
        assert f"no answer in time at {place}; is the API up?" in ended
        assert "nothing had been made" in ended

    def test_a_cloud_that_is_down_is_named_while_it_is_asked_again(self, world, tmp_path):
        url, options, _ = world
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            place = f"127.0.0.1:{nobody.getsockname()[1]}"
        stack = Stack(tmp_path / "a", options, f"http://{place}/{path_of(url)}")
        done = run(stack.file.parent, "infratest", "up", "--timeout", "20s")
        assert done.returncode == 1, done
        said, _, ended = done.stderr.partition("infratest: up of shop: ")
        assert f"({place}), which answered: no connection at {place}: Connection refused; it is given " in said
        assert "is the API up, and `endpoint:` its URL?" in ended


class TestWithoutCredentials:
    @pytest.mark.parametrize(
        ("driver", "names"),
        [
            ("digitalocean", "key"),
            ("linode", "key"),
            ("gce", "user_id"),
            ("azure_arm", "tenant_id and subscription_id"),
        ],
    )
    def test_what_a_driver_of_libcloud_lacks_is_told_as_credentials(self, tmp_path, driver, names):
        write = {"stack": "shop", "provider": {"name": "cloud", "driver": driver}, "hosts": {"web": {}}}
        (tmp_path / "stack.yaml").write_text(json.dumps(write))
        done = run(tmp_path, "infratest", "status")
        words = f"provider cloud, driver {driver}: no credentials: libcloud's driver needs {names}"
        assert words in done.stdout, done
        assert done.returncode == 0  # nothing was made: the hosts are not there, whoever logs in
        assert "__" not in done.stdout

    def test_nobody_is_asked_to_sign_in_by_a_browser(self, tmp_path):
        provider = {"name": "cloud", "driver": "gce", "key": "{param.token}", "secret": "{param.token}"}
        write = {
            "stack": "shop", "provider": provider | {"arguments": {"project": "p"}}, "hosts": {"web": {}},
            "parameters": {"token": {"type": "string", "secret": True, "from": {"env": "SMALL_CLOUD"}}},
        }  # fmt: skip
        (tmp_path / "stack.yaml").write_text(json.dumps(write))
        done = run(tmp_path, "infratest", "status", SMALL_CLOUD="not-a-key-of-google", HOME=str(tmp_path))
        assert "go to the following url" not in done.stdout.lower()
        assert "listing servers: gce answered: " in done.stdout


@pytest.mark.parametrize(
    "cloud, jump, words",
    [
        (
            "ec2",
            "+20m",
            "Request has expired.; this machine's clock is 20 min ahead of the cloud's: set it",
        ),
        ("ec2", "-3h", "Request has expired.; this machine's clock is 3 h behind the cloud's: set it"),
        ("cloudstack", "-20m", "; this machine's clock is 20 min behind the cloud's: set it, as by NTP"),
    ],
)
def test_a_clock_that_is_another_is_named_with_by_how_much(tmp_path, cloud, jump, words):
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    assert library, "faketime is needed: apt-get install faketime"
    moved = {"FAKETIME": jump, "LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with CLOUDS[cloud]() as (url, options, credentials):
        Stack(tmp_path, options, url)
        done = run(tmp_path, "infratest", "up", "--timeout", "60s", SMALL_CLOUD=TOKEN, **credentials, **moved)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "nothing had been made"), done
    assert words in done.stderr


def test_a_clock_that_ec2_blames_the_credentials_for(tmp_path):
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    assert library, "faketime is needed: apt-get install faketime"
    moved = {"FAKETIME": "+20m", "LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    message = "AWS was not able to validate the provided access credentials"
    body = f"<Response><Errors><Error><Code>AuthFailure</Code><Message>{message}</Message></Error></Errors></Response>"
    with proxy(moto_ec2.cloud().url) as api:
        api.have(Fault(times=1000, status=401, body=body))
        Stack(tmp_path, moto_ec2.options(), api.url)
        variables = {"SMALL_CLOUD": TOKEN, **moto_ec2.credentials()}
        skewed = run(tmp_path, "infratest", "up", "--timeout", "60s", **variables, **moved)
        right = run(tmp_path, "infratest", "up", "--timeout", "60s", **variables)
    assert f"AuthFailure: {message}; this machine's clock is 20 min ahead of the cloud's: set it" in skewed.stderr
    assert f"AuthFailure: {message}; look at the credentials and at what they may do" in right.stderr


@pytest.mark.parametrize("cloud", ["ec2", "cloudstack"])
def test_a_wrong_secret_by_a_right_clock_is_not_blamed_on_it(tmp_path, cloud, monkeypatch):
    with CLOUDS[cloud]() as (url, options, credentials):
        monkeypatch.setenv("SMALL_CLOUD", TOKEN)
        for name, value in credentials.items():
            monkeypatch.setenv(name, f"{value}x" if "SECRET" in name else value)
        words = refusal(Stack(tmp_path, options, url))
    assert "this machine's clock is" not in words
    assert "clock" in words


def test_a_clock_that_is_wrong_is_told_as_such(tmp_path, monkeypatch):
    code, message = "RequestExpired", "Request has expired."
    body = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
    monkeypatch.setenv("SMALL_CLOUD", TOKEN)
    for name, value in moto_ec2.credentials().items():
        monkeypatch.setenv(name, value)
    with proxy(moto_ec2.cloud().url) as api:
        api.have(Fault(times=1000, status=400, body=body))
        words = refusal(Stack(tmp_path / "a", moto_ec2.options(), api.url))
    assert "RequestExpired: Request has expired.; is this machine's clock right, and the secret key?" in words
