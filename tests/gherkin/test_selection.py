"""Which hosts a scenario is about."""

from __future__ import annotations

import pytest

from infratest.errors import FeatureError, UserError
from infratest.gherkin.selection import Group, Named, Where
from infratest.hosts import Host

WEB_1 = Host(name="web-1", groups=("web",), labels={"role": "web", "env": "prod"})
WEB_2 = Host(name="web-2", groups=("web", "spare"), labels={"role": "web", "env": "dev"})
DB = Host(name="db", groups=("data",), labels={"role": "db", "ip": "10.0.0.1:5432"})
HOSTS = [WEB_1, WEB_2, DB]


def test_groups_in_the_order_of_the_stack():
    assert Group("web").choose(HOSTS) == [WEB_1, WEB_2]
    assert Group("spare").choose(HOSTS) == [WEB_2]
    with pytest.raises(FeatureError, match="unknown group 'wbe': did you mean 'web'"):
        Group("wbe").choose(HOSTS)


def test_names():
    assert Named("db").choose(HOSTS) == [DB]
    with pytest.raises(FeatureError, match="unknown host 'web-3': did you mean 'web-"):
        Named("web-3").choose(HOSTS)
    with pytest.raises(FeatureError, match=r"unknown host 'web-\*'"):
        Named("web-*").choose(HOSTS)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("role=web", [WEB_1, WEB_2]),
        ("role=web and env=prod", [WEB_1]),
        ("role = web  and  env = prod", [WEB_1]),
        ("env!=prod", [WEB_2, DB]),
        ("role!=db and env!=dev", [WEB_1]),
        ("ip=10.0.0.1:5432", [DB]),
    ],
)
def test_labels(text, wanted):
    assert Where(text).choose(HOSTS) == wanted


@pytest.mark.parametrize("text", ["role=cache", "nothing=there", "role=web and role=db"])
def test_labels_that_no_host_has(text):
    with pytest.raises(FeatureError, match=f"no host has the labels '{text}'"):
        Where(text).choose(HOSTS)


@pytest.mark.parametrize("text", ["", "role", "role=web or env=prod", "role==web", "role=web and", "=web"])
def test_no_labels(text):
    with pytest.raises(UserError, match="is not label=value; join several with 'and'"):
        Where(text).choose(HOSTS)
