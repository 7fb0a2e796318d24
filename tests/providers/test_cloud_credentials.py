"""Whose credentials are taken for EC2, of the environment and AWS's two files; and that none of them is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infratest.cleaning import MASK, clean
from infratest.deadline import Deadline
from infratest.errors import InventoryError, UserError
from infratest.providers.cloud.drivers import _aws, kind_of
from infratest.providers.cloud.drivers.base import Settings
from infratest.stack.file import load
from infratest.stack.open import open_provider
from infratest.store.directory import StateDir
from infratest.testing.inventories import opened

CREDENTIALS = """\
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = default%secret

[work]
aws_access_key_id = AKIAWORK
aws_secret_access_key = work-secret
aws_session_token = work-token
"""
CONFIG = """\
[default]
region = eu-central-1
[profile work]
region = eu-west-3
[profile bare]
region = us-west-2
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(CREDENTIALS)
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    return tmp_path


def settings(home: Path, environment: dict[str, str] | None = None, **others: str) -> Settings:
    return Settings(driver="ec2", environment=environment or {}, home=home, **others)


def found(given: Settings) -> tuple[str, str, str, str]:
    who = _aws.credentials(given)
    return str(who.key), str(who.secret), str(who.token), _aws.region_of(given)


ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env-secret"}


def test_the_first_that_has_them(home):
    assert found(settings(home)) == ("AKIADEFAULT", "default%secret", "", "eu-central-1")
    assert found(settings(home, {"AWS_PROFILE": "work"})) == ("AKIAWORK", "work-secret", "work-token", "eu-west-3")
    assert found(settings(home, ENVIRONMENT)) == ("AKIAENV", "env-secret", "", "eu-central-1")
    region = ENVIRONMENT | {"AWS_REGION": "us-east-2", "AWS_SESSION_TOKEN": "env-token"}
    assert found(settings(home, region)) == ("AKIAENV", "env-secret", "env-token", "us-east-2")
    assert found(settings(home, ENVIRONMENT, profile="work"))[0] == "AKIAWORK"
    assert found(settings(home, ENVIRONMENT, key="AKIASTACK", secret="stack-secret"))[:2] == (
        "AKIASTACK", "stack-secret",
    )  # fmt: skip
    assert found(settings(home, region, region="eu-north-1"))[3] == "eu-north-1"


def test_other_places_of_the_files(home, tmp_path):
    other = tmp_path / "other"
    other.write_text("[default]\naws_access_key_id=AKIAOTHER\naws_secret_access_key=other-secret\n")
    assert found(settings(home, {"AWS_SHARED_CREDENTIALS_FILE": str(other)}))[0] == "AKIAOTHER"
    environment = {"AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_CONFIG_FILE": "/nowhere"}
    with pytest.raises(UserError, match="no credentials: none in the environment or a profile; set AWS_ACCESS_KEY_ID"):
        found(settings(home, environment))


def test_a_profile_that_is_not_there_or_has_none(home):
    with pytest.raises(UserError, match="unknown profile 'wrok': did you mean 'work'"):
        found(settings(home, profile="wrok"))
    with pytest.raises(UserError, match="profile 'bare' has none"):
        found(settings(home, profile="bare"))


def test_a_file_that_is_none_is_told_of_without_its_lines(home):
    (home / ".aws" / "credentials").write_text("aws_secret_access_key = in-the-wrong-place\n")
    with pytest.raises(UserError) as caught:
        found(settings(home))
    assert "is no configuration file as AWS writes them" in str(caught.value)
    assert "in-the-wrong-place" not in str(caught.value)


def test_what_is_secret_is_masked_from_then_on(home):
    found(settings(home, profile="work"))
    assert clean("the work-secret and the work-token") == f"the {MASK} and the {MASK}"


@pytest.mark.parametrize(
    ("driver", "environment", "files"),
    [
        ("ec2", ENVIRONMENT, (".aws/config", ".aws/credentials")),
        ("ec2", ENVIRONMENT | {"AWS_CONFIG_FILE": "/x/config"}, ("/x/config", ".aws/credentials")),
        ("ec2", ENVIRONMENT | {"AWS_CONFIG_FILE": "~no.such.user/x"}, (Path.cwd() / "~no.such.user/x",)),
        (
            "openstack",
            {"OS_AUTH_URL": "https://k.example/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "p"},
            (".config/openstack/clouds.yaml", ".config/openstack/secure.yaml", "/etc/openstack/secure.yaml"),
        ),
        (
            "cloudstack",
            {"CLOUDSTACK_ENDPOINT": "https://c.example", "CLOUDSTACK_KEY": "k", "CLOUDSTACK_SECRET": "s"},
            (".cloudstack.ini",),
        ),
        (
            "cloudstack",
            {
                "CLOUDSTACK_ENDPOINT": "https://c.example",
                "CLOUDSTACK_KEY": "k",
                "CLOUDSTACK_SECRET": "s",
                "CLOUDSTACK_CONFIG": "~no.such.user/x",
            },
            (Path.cwd() / "~no.such.user/x",),
        ),
    ],
)
def test_the_files_with_another_account_are_told_there_or_not(tmp_path, driver, environment, files):
    """An answer that is kept is not of the account that they name now."""
    told = kind_of(driver)(settings(tmp_path, environment)).files
    assert {tmp_path / file for file in files} <= set(told)
    assert all(path.is_absolute() for path in told)


CLOUD = "clouds: {shop: {auth: {auth_url: 'http://127.0.0.1:%s/v3', username: u, password: p, project_name: p}}}\n"
SECTION = "[shop]\nendpoint = http://127.0.0.1:%s/client/api\nkey = k\nsecret = s\n"
STACK = "stack: s\nprovider: {name: cloud, driver: %s, profile: shop}\nhosts: {web: {image: x, size: y}}\n"


@pytest.mark.parametrize(
    ("driver", "file", "text"), [("openstack", "clouds.yaml", CLOUD), ("cloudstack", "cloudstack.ini", SECTION)]
)
def test_the_account_is_the_stacks_wherever_one_stands(tmp_path, monkeypatch, driver, file, text):
    """By the provider and by the inventory, which nobody answers: in another stack's folder it is not that one's."""
    for name, port in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text % port)
    for name in [name for name in os.environ if name.startswith(("OS_", "CLOUDSTACK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "b")
    (tmp_path / "a/stack.yaml").write_text(STACK % driver)
    (place,) = open_provider(load(tmp_path / "a/stack.yaml"), StateDir(tmp_path / "state")).places()
    assert "127.0.0.1:1/" in f"{place}/"
    listing = opened("cloud", {"driver": driver, "profile": "shop"}, tmp_path / "a")
    with pytest.raises(InventoryError, match=r"127\.0\.0\.1:1\b"):
        listing.hosts(Deadline(0.2))
