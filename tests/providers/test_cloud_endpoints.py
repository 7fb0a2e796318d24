"""The URL of a cloud's API: what is none is told, and a password in one is refused and not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import StackFileError, UserError
from infratest.providers.cloud.account import Account
from infratest.providers.cloud.drivers.base import Settings
from infratest.stack import file
from tests.worlds.small_project import run, write

STACK = """\
stack: shop
provider:
  name: cloud
  driver: DRIVER
  endpoint: URL
hosts:
  web: {}
"""
#: What lets in, were it not for the URL; and the variable that the URL stands in.
ENVIRONMENTS = {
    "ec2": ("AWS_ENDPOINT_URL_EC2", {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}),
    "openstack": ("OS_AUTH_URL", {"OS_USERNAME": "a", "OS_PASSWORD": "b", "OS_PROJECT_NAME": "c"}),
    "cloudstack": ("CLOUDSTACK_ENDPOINT", {"CLOUDSTACK_KEY": "a", "CLOUDSTACK_SECRET": "b"}),
}
SECRET = ("http://me:sesame-open@127.0.0.1:9/", "https://sesame-open@cloud.example", "me:sesame-open@cloud.example/v3")
NONE = (
    "cloud.example",
    "cloud.example:5000/v3",
    "ftp://cloud.example/",
    "https://",
    "http://[::1",
    "http://a:b/",
    "http://a b/",
)
FINE = ("http://127.0.0.1:9/", "https://cloud.example", "https://cloud.example:5000/v3", "http://[::1]:9/client/api")


def loaded(folder: Path, url: str, driver: str = "ec2") -> None:
    write(folder, {"stack.yaml": STACK.replace("DRIVER", driver).replace("URL", f'"{url}"')})
    file.load(folder / "stack.yaml")


@pytest.mark.parametrize("url", [*SECRET, *NONE])
@pytest.mark.parametrize("driver", ["ec2", "digitalocean"])
def test_in_a_stack_file_it_is_refused_with_its_line(tmp_path, url, driver):
    with pytest.raises(StackFileError) as caught:
        loaded(tmp_path, url, driver)
    words = str(caught.value)
    assert "stack.yaml:5: provider.endpoint: found " in words
    assert "allowed is an http or https URL without user and password, such as https://cloud.example:5000/v3" in words
    assert "sesame" not in words


@pytest.mark.parametrize("url", FINE)
def test_a_url_is_taken(tmp_path, url):
    loaded(tmp_path, url)
    for driver, (variable, others) in ENVIRONMENTS.items():
        account = Account(Settings(driver=driver, environment=others | {variable: url}, home=tmp_path))
        assert account.driver.endpoint.startswith(url.removesuffix("/v3").rstrip("/"))


@pytest.mark.parametrize("url", SECRET)
@pytest.mark.parametrize("driver", ENVIRONMENTS)
def test_a_password_in_the_environment_s_url_is_refused_and_not_shown(tmp_path, driver, url):
    variable, others = ENVIRONMENTS[driver]
    with pytest.raises(UserError) as caught:
        Account(Settings(driver=driver, environment=others | {variable: url}, home=tmp_path))
    assert f"driver {driver}: {variable}: " in str(caught.value)
    assert "holds a user or a password, which go by no URL: remove them from it" in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("url", NONE)
@pytest.mark.parametrize("driver", ENVIRONMENTS)
def test_what_is_no_url_in_the_environment_is_told_and_nobody_is_asked(tmp_path, driver, url):
    variable, others = ENVIRONMENTS[driver]
    with pytest.raises(UserError) as caught:
        Account(Settings(driver=driver, environment=others | {variable: url}, home=tmp_path))
    assert f"driver {driver}: {variable}: {url!r} is no URL of an API: say one such as https://" in str(caught.value)


@pytest.mark.parametrize("verb", ["up", "plan", "status", "destroy", "lint"])
def test_no_verb_shows_the_password(tmp_path, verb):
    write(tmp_path, {"stack.yaml": STACK.replace("DRIVER", "linode").replace("URL", SECRET[0])})
    write(tmp_path, {"features/a.feature": "Feature: f\n  Scenario: one\n    Then port 80 is listening\n"})
    done = run(tmp_path, "infratest", verb)
    assert "sesame" not in done.stdout + done.stderr
    assert "stack.yaml:5: provider.endpoint" in done.stdout + done.stderr
    assert done.returncode == (1 if verb == "lint" else 2)
