"""Values in braces: what is replaced, what is text, and what is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.errors import FeatureError, NotInThisVersion
from infratest.hosts import STOPPED, Host
from infratest.values import Values, names_host, numbered, values_in

WEB_1 = Host(name="web-1", groups=("web",), labels={"role": "front", "rack.row": "3"}, address="10.0.0.1")
WEB_2 = Host(name="web-2", groups=("web", "spare"), address="10.0.0.2")
DB = Host(name="db", groups=("data",), address="10.0.0.9")
OFF = Host(name="off", address="", state=STOPPED)
HOSTS = [WEB_1, WEB_2, DB, OFF]
PARAMETERS = {"port": 8080, "debug": True, "name": "it's $HOME", "nginx-version": "1.22"}
OUTPUTS = {"url": "http://{host.db.address}:{param.port}/", "self": "{output.self}", "plain": "x"}
VALUES = Values(HOSTS, PARAMETERS, OUTPUTS, WEB_1)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("{host.name} {host.address}", "web-1 10.0.0.1"),
        ("{host.label.role} {host.label.rack.row}", "front 3"),
        ("{host.db.address} {host.web-2.name}", "10.0.0.9 web-2"),
        ("{group.web.count} {group.web.names} {group.web.addresses}", "2 web-1,web-2 10.0.0.1,10.0.0.2"),
        ("{param.port} {param.debug} {param.nginx-version}", "8080 true 1.22"),
        ("{output.plain} {output.url}", "x http://10.0.0.9:8080/"),
        ("{}", "{}"),
        ("{0}", "{0}"),
        ("{host}", "{host}"),
        ("{{hosts.name}", "{hosts.name}"),
        ("{{ item.name }}", "{ item.name }}"),
        ("{{{{ host.name }}", "{{ host.name }}"),
        ("{{{host.name}}", "{web-1}"),
        ("{{host.name", "{host.name"),
        ("{user.name", "{user.name"),
        ("item.name}", "item.name}"),
        ("{x: host.name}", "{x: host.name}"),
        ("$host.name}", "$host.name}"),
        ("awk '{ print host.name }'", "awk '{ print host.name }'"),
        ("{host.name} }", "web-1 }"),
        ("{{.Host.Name}}", "{.Host.Name}}"),
        ("awk '{ print $1.x }'", "awk '{ print $1.x }'"),
        ("${var.name}", "${var.name}"),
        ('{"host.name": 1}', '{"host.name": 1}'),
        ("{data.x} {item.name}", "{data.x} {item.name}"),
        ("{user.name}", "{user.name}"),
        ("${param.port}", "$8080"),
        ("{{param.port}", "{param.port}"),
        ("{{{param.port}", "{8080"),
        ("awk '{print $1}'", "awk '{print $1}'"),
        ("[0-9]{2,3}", "[0-9]{2,3}"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("", ""),
    ],
)
def test_filled(text, wanted):
    assert VALUES.fill(text) == wanted


def test_values_are_put_in_once():
    values = Values([], {"a": "{param.b}", "b": "no"}, {})
    assert values.fill("{param.a}") == "{param.b}"


def test_values_for_a_shell_are_one_word_each():
    assert VALUES.fill("echo {param.name} {host.name}", shell=True) == "echo 'it'\"'\"'s $HOME' web-1"


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "{param.prot}",
            "f:3: {param.prot}: unknown name 'prot'; did you mean 'port'? known are debug, name, nginx-version, port",
        ),
        (
            "{host.labels.rol}",
            "f:3: {host.labels.rol}: unknown host 'labels': known are web-1, web-2, db, off; "
            "a label is {host.label.rol}",
        ),
        ("{host.adress}", "f:3: {host.adress}: unknown name 'adress'; did you mean 'address'? known are address, name"),
        (
            "{host.label.rol}",
            "f:3: {host.label.rol} of web-1: unknown name 'rol'; did you mean 'role'? known are rack.row, role",
        ),
        ("{group.wbe.count}", "f:3: {group.wbe.count}: no host is in group 'wbe'; groups are data, spare, web"),
        ("{group.web}", "f:3: {group.web}: unknown name ''; known are addresses, count, names"),
        ("{output.uri}", "f:3: {output.uri}: unknown name 'uri'; did you mean 'url'? known are plain, self, url"),
        ("{host.off.address}", "f:3: {host.off.address}: off has no address: it is stopped; `infratest up` first"),
    ],
)
def test_unknown_names(text, message):
    with pytest.raises(FeatureError) as raised:
        VALUES.fill(text, where="f:3")
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "text, hint",
    [
        ("{parm.admin}", "did you mean {param.admin}?"),
        ("{params.name}", "did you mean {param.name}?"),
        ("{parameter.name}", "did you mean {param.name}?"),
        ("{hots.address}", "did you mean {host.address}?"),
        ("{hosts.name}", "did you mean {host.name}?"),
        ("{Host.name}", "did you mean {host.name}?"),
        ("{gruop.web.count}", "did you mean {group.web.count}?"),
        ("{outputs.url}", "did you mean {output.url}?"),
        ("{balncer.shop.address}", "did you mean {balancer.shop.address}?"),
        ("{prm.page}", "did you mean {param.page}?"),
        ("{grp.web.count}", "did you mean {group.web.count}?"),
        ("{label.role}", "did you mean {host.label.role}?"),
        ("{labels.role}", "did you mean {host.label.role}?"),
        ("{web-1.address}", "did you mean {host.web-1.address}?"),
        ("{ host.name }", "a value is written {host.name}, without blanks"),
        ("{host.name }", "a value is written {host.name}, without blanks"),
        ("{param.a b}", "a value is written {param.NAME}, without blanks"),
        ("{ hots.name }", "did you mean {host.name}?"),
    ],
)
def test_what_is_nearly_a_value_is_refused_and_never_text(text, hint):
    assert values_in(f"x {text} y") == [text]
    for shell in (False, True):
        with pytest.raises(FeatureError) as raised:
            VALUES.fill(f"/etc/{text}.bak", where="f:3", shell=shell)
        assert str(raised.value).startswith(f"f:3: {text}: ")
        assert hint in str(raised.value)
        assert str(raised.value).endswith(f"or {{{text} for these characters themselves")


@pytest.mark.parametrize(
    "text, braces, words",
    [
        ("{host.name", "{host.name", "its brace is not closed: a value is written {host.name}"),
        ("/etc/{param.port/x", "{param.port/x", "its brace is not closed: a value is written {param.port}"),
        ("a {group.web.count\n}", "{group.web.count", "its brace is not closed: a value is written {group.web.count}"),
        ("{output.{param.port}}", "{output.", "its brace is not closed: a value is written {output.NAME}"),
        ("{balancer.shop", "{balancer.shop", "its brace is not closed: a value is written {balancer.shop}"),
        ("/{hots.name/x", "{hots.name/x", "no value is called 'hots'; did you mean {host.name}?"),
        ("{host.\nname}", "{host.", "its brace is not closed: a value is written {host.NAME}"),
        ("{host .name}", "{host .name}", "a value is written {host.name}, without blanks"),
        ("{host. name}", "{host. name}", "a value is written {host.name}, without blanks"),
        ("{\u200bhost.name}", "{\u200bhost.name}", "a value is written {host.name}, without blanks"),
        ("{HOST.name}", "{HOST.name}", "no value is called 'HOST'; did you mean {host.name}?"),
        ("{h\u043est.name}", "{h\u043est.name}", "no value is called 'h\u043est'; did you mean {host.name}?"),
        ("{{host.name}}", "{{host.name}}", "a value is written {host.name}, in single braces"),
        ("{{ param.port }}", "{{ param.port }}", "a value is written {param.port}, in single braces"),
        ("{{hosts.name}}", "{{hosts.name}}", "no value is called 'hosts'; did you mean {host.name}?"),
    ],
)
def test_a_brace_that_a_value_has_too_few_or_too_many_of_is_no_text(text, braces, words):
    assert braces in values_in(text)
    with pytest.raises(FeatureError) as raised:
        VALUES.fill(text, where="f:3")
    assert str(raised.value).startswith(f"f:3: {braces}: {words}")
    escaped = braces.replace("{", "{{", 1) if braces[:2] != "{{" else "{{" + braces
    assert str(raised.value).endswith(f" or {escaped} for these characters themselves")
    assert VALUES.fill(escaped) == braces
    with pytest.raises(FeatureError, match=r"or put these characters into a parameter, if they are meant$"):
        VALUES.fill(text, doubled=False)


@pytest.mark.parametrize(
    "text", ["host.name}", "/etc/host.name}.bak", "{x} host.name}", "host.name}}", "a} host.name}"]
)
def test_a_brace_that_is_not_opened_is_no_text(text):
    assert values_in(text) == ["host.name}"]
    with pytest.raises(FeatureError) as raised:
        VALUES.fill(text, where="f:3")
    assert str(raised.value) == (
        "f:3: host.name}: its brace is not opened: a value is written {host.name}; "
        "or put these characters into a parameter, if they are meant"
    )
    assert Values([], {"x": text}, {}).fill("{param.x}") == text


def test_a_host_that_there_is_not_is_answered_with_hosts():
    with pytest.raises(FeatureError, match=r"\{host.dbb.address\}: unknown host 'dbb': did you mean 'db'\? known are "):
        VALUES.fill("{host.dbb.address}", where="f:3")


def test_an_output_does_not_name_outputs():
    with pytest.raises(FeatureError, match="unknown name 'self'; known are none"):
        VALUES.fill("{output.self}")


@pytest.mark.parametrize("root", ["balancer", "volume", "record", "bucket"])
def test_components_are_of_later(root):
    with pytest.raises(NotInThisVersion, match=f"components of type {root} are not in this version"):
        VALUES.fill(f"{{{root}.shop.address}}")


def test_what_components_give_to_others():
    values = Values((), {}, {}, components={("address", "front"): {"address": "192.0.2.7"}})
    assert values.fill("http://{address.front.address}/") == "http://192.0.2.7/"
    assert values.of_named_hosts().fill("{address.front.address}") == "192.0.2.7"
    with pytest.raises(FeatureError, match="no address 'back' is there: `infratest up` makes it; there are front"):
        values.fill("{address.back.address}")
    with pytest.raises(FeatureError, match="unknown name 'name'; known are address"):
        values.fill("{address.front.name}")


def test_without_a_host_only_named_ones_have_values():
    values = VALUES.of(None)
    assert values.fill("{host.db.address} {param.port}") == "10.0.0.9 8080"
    with pytest.raises(FeatureError, match=r"runs once, on no host; name one, as \{host.NAME.address\}"):
        values.fill("{host.address}")


def test_as_seen_from_another_host():
    assert VALUES.of(DB).fill("{host.name} {host.address}") == "db 10.0.0.9"


def test_names_for_addresses_where_a_text_must_last():
    named = VALUES.of_named_hosts().of(WEB_1)
    assert named.fill("{host.address} {host.db.address} {output.url}") == "web-1 db http://db:8080/"


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("{host.address}", True),
        ("{host.label.x}", True),
        ("{host.db.address}", False),
        ("{host.db.address} {host.name}", True),
        ("{param.x} {group.web.count}", False),
        ("{{host.address}", False),
        ("", False),
    ],
)
def test_whether_a_text_names_its_own_host(text, wanted):
    assert names_host(text, ["web-1", "db"]) == wanted


@given(st.text(max_size=60))
def test_text_without_braces_stays_as_it_is(text):
    text = text.replace("{", "")
    assert VALUES.fill(text) == text


@given(st.text(max_size=30))
def test_a_doubled_brace_makes_any_text_text(text):
    assert VALUES.fill(text.replace("{", "{{")) == text


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("at most {param.port} of {host.name} wait", "at most 1 of 1 wait"),
        ("{{host.name}} {{ x }} {y}", "{{host.name}} {{ x }} {y}"),
        ("{host.name", "{host.name"),
        ("host.name}", "host.name}"),
    ],
)
def test_a_number_stands_for_what_is_a_value_and_for_nothing_else(text, wanted):
    assert numbered(text) == wanted
