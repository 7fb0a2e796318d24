"""Which hosts a scenario is about."""

from __future__ import annotations

import pytest

from infratest.errors import FeatureError, UserError
from infratest.gherkin.selection import Group, Named, Where
from infratest.hosts import Host
from infratest.selector import selected

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


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "::1"])
def test_an_address_in_the_place_of_a_host_may_be_meant_of_where_something_listens(address):
    with pytest.raises(FeatureError, match=f'unknown host .*; where it listens stands behind `at`: at "{address}"'):
        Named(address).choose(HOSTS)


def test_a_group_in_the_place_of_a_host_is_told_as_one_and_the_other_way_round():
    with pytest.raises(FeatureError, match=r"'web' is a group and no host: .* web-1 and 1 more"):
        Named("web").choose(HOSTS)
    with pytest.raises(FeatureError, match="'db' is a host and no group: write its name alone"):
        Group("db").choose(HOSTS)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("role=web", [WEB_1, WEB_2]),
        ("role=web and env=prod", [WEB_1]),
        ("role = web  and  env = prod", [WEB_1]),
        ("env!=prod", [WEB_2, DB]),
        ("role!=db and env!=dev", [WEB_1]),
        ("ip=10.0.0.1:5432", [DB]),
        ("env=prod or role=db", [WEB_1, DB]),
        ("not role=web", [DB]),
        ("not not role=web", [WEB_1, WEB_2]),
        ("not role=web or env=prod", [WEB_1, DB]),
        ("not (role=web or env=prod)", [DB]),
        ("role=db or role=web and env=prod", [WEB_1, DB]),
        ("(role=db or role=web) and env=prod", [WEB_1]),
        ("role=w*", [WEB_1, WEB_2]),
        ("env=*", [WEB_1, WEB_2]),
        ("env!=*", [DB]),
        ("ip=10.0.0.?:5432 or db", [DB]),
        ("db", [DB]),
        ("web", [WEB_1, WEB_2]),
        ("web and not web-2", [WEB_1]),
        ("web-*", [WEB_1, WEB_2]),
        ("spare or data", [WEB_2, DB]),
        ("(((db)))", [DB]),
    ],
)
def test_the_selector_language(text, wanted):
    assert Where(text).choose(HOSTS) == wanted
    assert selected(f"not ({text})", HOSTS) == [host for host in HOSTS if host not in wanted]


@pytest.mark.parametrize("text", ["role=cache", "role=web and role=db", "web and db", "role=[w]eb", "ip=10.0.0.?:5432"])
def test_what_no_host_is(text):
    assert selected(text, HOSTS) == []
    with pytest.raises(FeatureError, match="no host is as "):
        Where(text).choose(HOSTS)


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "a name is missing"),
        ("role=web and", "a name is missing"),
        ("=web", "a name is missing before '='"),
        ("role=", "a value is missing behind 'role'"),
        ("role=and", "a value is missing behind 'role'"),
        ("role==web", "a label is compared by one '='"),
        ("(role=web", "a ')' is missing"),
        ("role=web)", "')' is left over"),
        ("web db", "'db' is left over"),
        ("app,db", "join names by 'or', not by ','"),
        ("not", "a name is missing"),
        ("role!web", "is not understood"),
    ],
)
def test_no_selector(text, words):
    with pytest.raises(UserError) as raised:
        Where(text).choose(HOSTS)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "text, words",
    [
        ("not wbe", "unknown host or group 'wbe': did you mean 'web'?"),
        ("web-3", "unknown host or group 'web-3': did you mean 'web-"),
        ("not wbe-*", r"unknown host or group 'wbe-*'"),
        ("rol!=db", "unknown label 'rol': did you mean 'role'? known are env, ip, role"),
        ("not building=a", "unknown label 'building': known are env, ip, role"),
    ],
)
def test_a_name_that_nobody_bears_never_chooses_all_by_a_not(text, words):
    with pytest.raises(UserError) as raised:
        selected(text, HOSTS)
    assert words in str(raised.value)
