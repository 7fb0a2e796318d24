"""Values in documents: what a text in each format holds at a path, and what of it is refused; written by hand."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.errors import FactError, UserError
from infratest.structured_text import (
    Absent,
    asked_of,
    checked_format,
    checked_path,
    described,
    equals,
    number_of,
    steps,
    value_at,
)
from infratest.yaml_text import LIMIT

JSON = """{
  "db": {"host": "10.0.0.2", "port": 80, "up": true, "none": null},
  "hosts": [{"name": "a"}, {"name": "b.c"}], "a.b": 1.50
}"""
YAML = """\
db: &db {host: 10.0.0.2, port: 80, up: true, 'on': on, none: null, ratio: 1.50}
copy: {<<: *db, port: 81}
hosts:
  - a
  - b
80: eighty
true: yes
since: 2024-05-01 10:00:00
version: "1.20"
text: |
  two
  lines
"""
TOML = """\
title = "x"
since = 2024-05-01
at = 07:32:00
[db]
port = 80
"a.b" = 1
[[hosts]]
name = "a"
[[hosts]]
name = "b"
"""
INI = "top=1\n; comment\n[main]\nDebug = no\nskip-networking\nurl = http://x/?a=b\n[a.b]\nkey: v 1 \n"
XML = """\
<?xml version="1.0"?>
<Server xmlns="urn:x" xmlns:y="urn:y" port="8005"><!-- a comment -->
  <Service name="Catalina"><Connector port="80" y:tls="yes"/><Connector port="443">  x <b>y</b> </Connector></Service>
</Server>
"""
CSV = 'name,port\na,80\n"b, c",81\n\n'

#: Format, text, path, the value in words.
VALUES = [
    ("JSON", JSON, "db.host", "the text '10.0.0.2'"),
    ("JSON", JSON, "db.port", "the number 80"),
    ("JSON", JSON, "db.up", "true"),
    ("JSON", JSON, "db.none", "null"),
    ("JSON", JSON, "db", "a map of 4"),
    ("JSON", JSON, "hosts", "a list of 2"),
    ("JSON", JSON, "hosts[0].name", "the text 'a'"),
    ("JSON", JSON, "hosts.1.name", "the text 'b.c'"),
    ("JSON", JSON, "hosts[-1].name", "the text 'b.c'"),
    ("JSON", JSON, r"a\.b", "the number 1.5"),
    ("JSON", "[[1, 2]]", "[0][1]", "the number 2"),
    ("JSON", "7", ".", "the number 7"),
    ("YAML", YAML, "db.host", "the text '10.0.0.2'"),
    ("YAML", YAML, "db.up", "true"),
    ("YAML", YAML, "db.on", "on"),
    ("YAML", YAML, "copy.port", "the number 81"),
    ("YAML", YAML, "copy.host", "the text '10.0.0.2'"),
    ("YAML", YAML, "hosts[1]", "the text 'b'"),
    ("YAML", YAML, "80", "the text 'eighty'"),
    ("YAML", YAML, "true", "yes"),
    ("YAML", YAML, "since", "the text '2024-05-01 10:00:00'"),
    ("YAML", YAML, "version", "the text '1.20'"),
    ("YAML", YAML, "text", r"the text 'two\nlines\n'"),
    ("TOML", TOML, "title", "the text 'x'"),
    ("TOML", TOML, "since", "the text '2024-05-01'"),
    ("TOML", TOML, "at", "the text '07:32:00'"),
    ("TOML", TOML, "db.port", "the number 80"),
    ("TOML", TOML, r"db.a\.b", "the number 1"),
    ("TOML", TOML, "hosts[1].name", "the text 'b'"),
    ("INI", INI, "top", "the text '1'"),
    ("INI", INI, "main.Debug", "the text 'no'"),
    ("INI", INI, "main.skip-networking", "null"),
    ("INI", INI, "main.url", "the text 'http://x/?a=b'"),
    ("INI", INI, r"a\.b.key", "the text 'v 1'"),
    ("XML", XML, "/Server/@port", "the text '8005'"),
    ("XML", XML, "Server/Service/@name", "the text 'Catalina'"),
    ("XML", XML, "Service/@name", "the text 'Catalina'"),
    ("XML", XML, "@port", "the text '8005'"),
    ("XML", XML, "./Service/@name", "the text 'Catalina'"),
    ("XML", XML, "//Connector", "a list of 2"),
    ("XML", XML, "//Connector[@port='443']/b", "the text 'y'"),
    ("XML", XML, "//Connector[@port='443']", "the text 'x y'"),
    ("XML", XML, "//Connector[@tls='yes']/@port", "the text '80'"),
    ("XML", XML, "//b/text()", "the text 'y'"),
    ("CSV", CSV, "[1].name", "the text 'b, c'"),
    ("CSV", CSV, "[-1].port", "the text '81'"),
    ("CSV", CSV, ".", "a list of 2"),
]


@pytest.mark.parametrize("form, text, at, words", VALUES)
def test_the_value_at_a_path(form, text, at, words):
    assert checked_path(at, form) == at
    assert described(value_at(text, form, at)) == words


#: Format, text, path, how far it leads.
MISSING = [
    ("JSON", JSON, "db.hots", "'db' has no key 'hots', but 'host', 'port', 'up', 'none'"),
    ("JSON", JSON, "db.host.x", "'db.host' is the text '10.0.0.2'"),
    ("JSON", JSON, "db[0]", "'db' has no key 0"),
    ("JSON", JSON, "hosts[2]", "'hosts' is a list of 2"),
    ("JSON", JSON, "hosts[-3]", "'hosts' is a list of 2"),
    ("JSON", JSON, "hosts.name", "'hosts' is a list of 2, which has no keys"),
    ("JSON", "{}", "x", "the whole has no key 'x', but none"),
    ("YAML", "null", "x", "the whole is null"),
    ("YAML", "--- # nothing yet\n{}", "x", "the whole has no key 'x'"),
    ("INI", INI, "main.debug", "'main' has no key 'debug'"),
    ("INI", "# x = 1\n", "x", "the whole has no key 'x'"),
    ("TOML", "# x = 1\n", "x", "the whole has no key 'x'"),
    ("XML", XML, "/Service/@name", "no element or attribute is there"),
    ("XML", XML, "Listener", "no element or attribute is there"),
    ("XML", XML, "//Listener", "no element or attribute is there"),
    ("XML", XML, "//Service/@port", "no element or attribute is there"),
    ("CSV", CSV, "[2].name", "the whole is a list of 2"),
]


@pytest.mark.parametrize("form, text, at, words", MISSING)
def test_nothing_at_a_path(form, text, at, words):
    with pytest.raises(Absent) as caught:
        value_at(text, form, at)
    assert words in str(caught.value)


#: Format, text, why it is not read.
UNREADABLE = [
    ("JSON", '{"a": 1,\n "a": 2}', "the key 'a' is there twice"),
    ("JSON", "{\n'a': 1}", "line 2: Expecting property name enclosed in double quotes"),
    ("JSON", "[NaN]", "NaN is no number of JSON"),
    ("JSON", "[-Infinity]", "-Infinity is no number of JSON"),
    ("JSON", "[", "line 1: Expecting value"),
    *((form, "", "it is empty, as a file is that was cut") for form in ("JSON", "YAML", "TOML", "INI", "XML", "CSV")),
    ("INI", "\ufeff \r\n\t\n", "it is empty"),
    ("YAML", "# db:\n", "no document is in it"),
    ("YAML", "\n---\n# db:\n...\n", "no document is in it"),
    ("YAML", "%YAML 1.2\n--- # db\n", "no document is in it"),
    ("JSON", "1 2", "line 1: Extra data"),
    ("JSON", "[" * 100_000, "nested deeper than can be read"),
    ("YAML", "a: 1\na: 2", 'line 2: found duplicate key "a"'),
    ("YAML", "a: [1\nb: 2", "line 2: "),
    ("YAML", "a: !vault x", "line 1: could not determine a constructor for the tag '!vault'"),
    ("YAML", "a: 1\n---\nb: 2", "found another document"),
    ("YAML", "\tx: 1", "line 1: "),
    ("YAML", "x: *y", "line 1: found undefined alias"),
    ("YAML", "[" * 2000, "nested deeper than can be read"),
    ("YAML", "x" * (LIMIT + 1), f"it has {LIMIT + 1} characters; at most {LIMIT} are read"),
    (
        "YAML", "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)),
        "its merge keys make more than 10000 keys",
    ),
    ("TOML", "a = 1\na = 2\nb = 1", "Cannot overwrite a value (at line 2, column"),
    ("TOML", "a = [1", "Unclosed array"),
    ("INI", "[a]\nx=1\nx=2", "line 3: x is there twice"),
    ("INI", "[a]\nx=1\n[a]\n", "line 3: [a] is there twice"),
    ("INI", "x=1\n[a\n=3\n", "line 3: '=3"),
    ("INI", "a=1\n[a]\nb=1", "'a' is a section, and a key ahead of the first one"),
    ("INI", "<html>\n<p>Not found</p>\n", "'<html>' is neither a key with a value nor a word that is a key alone"),
    ("INI", "[a]\nk\n    v2 = 3\n", "a line is indented below a key that has no value"),
    ("XML", "<a>\n<b></a>", "line 2: mismatched tag"),
    ("XML", "<!-- a -->", "no element found"),
    ("XML", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "it declares entities, which are not read"),
    ("XML", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "it declares entities"),
    ("CSV", "a,a\n1,2", "line 1: a column is there twice"),
    *(
        ("CSV", f"a{mark}b\n1{mark}2\n", f"line 1: its fields are parted by {mark!r}; only CSV with commas is read")
        for mark in ";\t|"
    ),
    ("CSV", "a,b\n1", "line 2: 1 fields, where the first line names 2"),
    ("CSV", 'a,b\n"1', "line 2: unexpected end of data"),
]  # fmt: skip


@pytest.mark.parametrize("form, text, words", UNREADABLE)
def test_what_is_not_readable_is_told_with_its_line(form, text, words):
    with pytest.raises(FactError) as caught:
        value_at(text, form, "x")
    assert str(caught.value).startswith(f"it is not readable as {form}: ")
    assert words in str(caught.value)


#: A value, a text, and whether it is what the text says.
EQUAL = [
    ("80", "80", True), (80, "80", True), (80, "80.0", True), (80.0, "80", True), (80, "8e1", True), (80, "+80", True),
    ("80", "80.0", False), ("1.20", "1.2", False), (1.2, "1.20", True), (80, " 80", True), (80, "0x50", False),
    (10**30, "1" + "0" * 30, True), (10**30, "1" + "0" * 29 + "1", False), (2**53 + 1, str(2**53), False),
    (True, "true", True), (True, "True", False), (True, "1", False), (1, "true", False), ("true", "true", True),
    (None, "null", True), (None, "", False), ("", "", True), ("null", "null", True), (False, "false", True),
    (datetime.date(2024, 5, 1), "2024-05-01", True), (float("inf"), "inf", True), (1_000, "1_000", False),
]  # fmt: skip


#: Moments as TOML may write them: what Python makes of them says less.
MOMENTS = (
    "2024-05-01T00:00:00Z", "2024-05-01t00:00:00z", "2024-05-01T00:00:00+00:00", "2024-05-01 07:32:00.50-07:00",
    "2024-05-01T07:32:00", "2024-05-01", "07:32:00", "07:32:00.000",
)  # fmt: skip


def test_a_moment_of_toml_is_what_is_written():
    values = "\n".join(f'"{text}" = [{text}, "{text}"] # {text}' for text in MOMENTS)
    text = f"2024-05-02.at = 2024-05-03\n{values}\n[[t]]\nat = 2024-05-01\n[2024-05-01T]\nx = {{y = 07:32:00}}\n"
    for moment in MOMENTS:
        at = moment.replace(".", r"\.")
        assert [value_at(text, "TOML", f"{at}[{place}]") for place in (0, 1)] == [moment, moment]
    assert value_at(text, "TOML", "2024-05-02.at") == "2024-05-03"
    assert value_at(text, "TOML", "t[0].at") == "2024-05-01"
    assert value_at(text, "TOML", "2024-05-01T.x.y") == "07:32:00"


@pytest.mark.parametrize("form, text", [("JSON", '{"x": %s}'), ("YAML", "x: %s"), ("TOML", "x = %s")])
@pytest.mark.parametrize(
    "number, same, others",
    [
        ("9007199254740993", "9007199254740993", ("9007199254740992", "9007199254740994")),
        ("-9007199254740993", "-9007199254740993.0", ("-9007199254740992",)),
        ("1.10000000000000000001", "1.10000000000000000001", ("1.1", "1.10000000000000000002")),
        ("0.30000000000000004", "0.30000000000000004", ("0.3",)),
        ("1.20e0", "1.2", ("1.21",)),
    ],
)
def test_a_number_is_compared_with_all_its_digits(form, text, number, same, others):
    value = value_at(text % number, form, "x")
    assert equals(value, same)
    assert not any(equals(value, other) for other in others)


@pytest.mark.parametrize("value, text, right", EQUAL)
def test_what_a_value_is_equal_to(value, text, right):
    assert equals(value, text) is right


@pytest.mark.parametrize(
    "value, number",
    [("80", 80), (" 1.5 ", 1.5), (7, 7), (True, None), (None, None), ("1_0", None), ("nan", None), ("", None),
     ("-", None), ("1 2", None), (float("nan"), None), (float("inf"), None), ("80%", None), ([1], None)],
)  # fmt: skip
def test_what_is_a_number(value, number):
    assert number_of(value) == number


@pytest.mark.parametrize(
    "at, made",
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        (r"a\.b", ("a.b",)),
        (r"a\[0\]", ("a[0]",)),
        (r"a\\b", ("a\\b",)),
        (r"a\b", ("a\\b",)),
        ("a[0]", ("a", 0)),
        ("[0][-1].b", (0, -1, "b")),
        ("a b.c-d", ("a b", "c-d")),
        (".", ()),
    ],
)
def test_the_steps_of_a_path(at, made):
    assert steps(at) == made


@pytest.mark.parametrize(
    "at, words",
    [
        ("", "is empty"),
        ("a..b", "an empty key"),
        (".a", "an empty key"),
        ("a.", "ends in a dot"),
        ("a[0].", "ends in a dot"),
        ("a[x]", "a whole number"),
        ("a[]", "a whole number"),
        ("a[0", "a whole number"),
        ("a[0]b", "a whole number"),
        ("hosts[#]", "a whole number"),
    ],
)
def test_what_is_no_path(at, words):
    with pytest.raises(UserError, match=words):
        checked_path(at, "JSON")


@pytest.mark.parametrize("at", ["//a[", "a[position()>1]", "//a/@b/c[", "a[@x=1", "/a/b[last()-x]"])
def test_what_is_no_xpath(at):
    with pytest.raises(UserError, match="is no XPath that ElementTree knows"):
        checked_path(at, "XML")


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


@given(st.lists(KEYS, min_size=1, max_size=4), st.integers())
def test_every_key_can_be_named(keys, number):
    value: object = number
    for key in reversed(keys):
        value = {key: value}
    at = ".".join("".join(f"\\{one}" if one in ".[]\\" else one for one in key) for key in keys)
    import json

    assert value_at(json.dumps(value), "JSON", at) == number


@pytest.mark.parametrize(
    "name, path, form",
    [("", "/a/x.json", "JSON"), ("", "/x.yml", "YAML"), ("", "/x.YAML", "YAML"), ("", "/x.y/z.toml", "TOML"),
     ("INI", "/x.json", "INI"), ("XML", "", "XML")],
)  # fmt: skip
def test_the_format(name, path, form):
    assert checked_format(name, path) == form


@pytest.mark.parametrize("name, path", [("", "/x.conf"), ("", "/x"), ("", "/json"), ("HCL", "/x"), ("json", "/x.json")])
def test_a_format_that_is_not_known_is_answered_with_those_that_are(name, path):
    with pytest.raises(UserError, match="known are JSON, YAML, TOML, INI, XML, CSV"):
        checked_format(name, path)


@pytest.mark.parametrize(
    ("line", "asked", "holds"),
    [
        ("On ; shown", "On", None),
        ("On # shown", "On", None),
        ("On;shown", "On", None),
        ("a#b", "a", None),
        ('"On"', "On", None),
        ("'On'", "On", None),
        ('"On" ; shown', "On", None),
        ('a "b c" d', "a b c d", None),
        ("On ; shown", "Off", False),
        ('"On"', "Off", False),
        ("On", "On", True),
        ("it's", "it's", True),
    ],
)
def test_an_ini_value_that_readers_do_not_agree_on_is_unknown(line, asked, holds):
    """git takes comments and double quotes away, Python's configparser says what is written."""
    value = value_at(f"[PHP]\nexpose_php = {line}\n", "INI", "PHP.expose_php")
    if holds is None:
        with pytest.raises(FactError, match="one text to some readers of INI"):
            equals(value, asked)
    else:
        assert equals(value, asked) is holds


def test_what_is_so_however_ini_is_read_is_known():
    port, quoted = (value_at(f"port = {text}\n", "INI", "port") for text in ("3306 ; of MySQL", '"3306"'))
    assert described(port) == "the text '3306 ; of MySQL'"
    assert asked_of(port, lambda text: text.startswith("33"))
    assert not asked_of(quoted, lambda text: "x" in text)
    for value in (port, quoted):
        with pytest.raises(FactError, match="one text to some readers of INI"):
            number_of(value)
        with pytest.raises(FactError, match="one text to some readers of INI"):
            asked_of(value, lambda text: text.endswith("6"))


@pytest.mark.parametrize("text", ["08", "09", "-09", "0010", "019"])
def test_digits_that_yaml_1_1_takes_for_a_text_or_octal_are_unknown(text):
    value = value_at(f"a: {text}\n", "YAML", "a")
    with pytest.raises(FactError, match=r"to readers of YAML 1\.2 it is decimal"):
        number_of(value)
    assert number_of(value_at("a: 07\n", "YAML", "a")) == 7


@pytest.mark.parametrize(("form", "text"), [("YAML", "a: .nan\n"), ("TOML", "a = nan\n")])
def test_a_nan_that_the_format_has_is_no_number_of_a_bound(form, text):
    value = value_at(text, form, "a")
    assert number_of(value) is None
    assert not equals(value, "1")
