"""Whose credentials are taken for CloudStack, of the environment and of cs's file; and that none of them is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.cleaning import MASK, clean
from infratest.errors import UserError
from infratest.providers.cloud.drivers import _cloudstack
from infratest.providers.cloud.drivers.base import Settings

FILE = """\
[cloudstack]
endpoint = https://home.example/client/api
key = home-key
secret = home%secret

[work]
endpoint = "https://work.example/client/api"
key = work-key
secret = work-secret
verify = /etc/ssl/work.pem

[bare]
endpoint = https://bare.example/client/api
verify = false
"""
ENVIRONMENT = {
    "CLOUDSTACK_ENDPOINT": "https://env.example/client/api", "CLOUDSTACK_KEY": "env-key",
    "CLOUDSTACK_SECRET": "env-secret",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    (place / ".cloudstack.ini").write_text(FILE)
    return place


def settings(home: Path, environment: dict[str, str] | None = None, **others: str) -> Settings:
    return Settings(driver="cloudstack", environment=environment or {}, home=home, folder=home.parent, **others)


def found(given: Settings) -> tuple[str, str, str, str]:
    who = _cloudstack.login(given)
    return who.endpoint, str(who.key), str(who.secret), who.ca


HOME = ("https://home.example/client/api", "home-key", "home%secret", "")
WORK = ("https://work.example/client/api", "work-key", "work-secret", "/etc/ssl/work.pem")
ENV = ("https://env.example/client/api", "env-key", "env-secret", "")


def test_the_first_that_has_them(home):
    assert found(settings(home)) == HOME
    assert found(settings(home, {"CLOUDSTACK_REGION": "work"})) == WORK
    assert found(settings(home, ENVIRONMENT)) == ENV
    assert found(settings(home, ENVIRONMENT, profile="work")) == WORK
    own = found(settings(home, ENVIRONMENT, key="stack-key", secret="stack-secret", endpoint="https://s.example/api"))
    assert own == ("https://s.example/api", "stack-key", "stack-secret", "")


def test_what_the_environment_leaves_out_is_in_the_file(home):
    assert found(settings(home, {"CLOUDSTACK_SECRET": "env-secret"}))[1:3] == ("home-key", "env-secret")
    assert found(settings(home, endpoint="https://other.example/api"))[:2] == ("https://other.example/api", "home-key")


def test_other_places_of_the_file(home, tmp_path):
    (tmp_path / "cloudstack.ini").write_text("[cloudstack]\nendpoint=https://here.example/api\nkey=k\nsecret=here\n")
    assert found(settings(home))[0] == "https://here.example/api"
    assert found(settings(home, profile="work")) == WORK
    (tmp_path / "other").write_text("[cloudstack]\nendpoint=https://other.example/api\nkey=k\nsecret=other\n")
    assert found(settings(home, {"CLOUDSTACK_CONFIG": str(tmp_path / "other")}))[0] == "https://other.example/api"


def test_certificates_are_verified_whatever_the_file_says(home):
    given = settings(home, key="k", secret="s", profile="bare")
    assert found(given)[3] == ""
    assert found(settings(home, profile="work", ca="/own.pem"))[3] == "/own.pem"


def test_what_is_missing_is_told(home):
    with pytest.raises(UserError, match="unknown section 'wrok': did you mean 'work'"):
        found(settings(home, profile="wrok"))
    with pytest.raises(UserError, match="section bare: no credentials: no key, no secret; set CLOUDSTACK_ENDPOINT"):
        found(settings(home, profile="bare"))
    nowhere = {"CLOUDSTACK_CONFIG": "/nowhere"}
    with pytest.raises(UserError, match="no credentials: no endpoint, no key, no secret"):
        found(settings(home, nowhere))
    with pytest.raises(UserError, match="section 'work': there is no /nowhere"):
        found(settings(home, nowhere, profile="work"))
    with pytest.raises(UserError, match=r"endpoint: 'cloud\.example' is no URL of an API"):
        found(settings(home, ENVIRONMENT, endpoint="cloud.example"))


def test_a_file_that_is_none_is_told_of_without_its_lines(home):
    (home / ".cloudstack.ini").write_text("secret = in-the-wrong-place\n")
    with pytest.raises(UserError) as caught:
        found(settings(home))
    assert "is no configuration file as cs writes them" in str(caught.value)
    assert "in-the-wrong-place" not in str(caught.value)


def test_what_is_secret_is_masked_from_then_on(home):
    found(settings(home, profile="work"))
    assert clean("the work-secret") == f"the {MASK}"
    assert "work-secret" not in repr(_cloudstack.login(settings(home, profile="work")))
