"""The schema of the stack file: a schema itself, described throughout, and printed whole."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from infratest import later, outsiders
from infratest.cli.verbs.schema import command
from infratest.option_schema import REFERENCE, resolved
from infratest.plugins import KINDS
from infratest.stack.own_schema import KEYS
from infratest.stack.schema import whole, whose_option

SCHEMA = whole()


def parts(schema, at="stack.yaml"):
    """Every value's schema, with where it is."""
    yield at, schema
    for name, inner in schema.get("properties", {}).items():
        yield from parts(inner, f"{at}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from parts(schema[key], f"{at}.{key}")


def test_it_is_a_schema_as_written_and_as_resolved():
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator.check_schema(resolved(SCHEMA))


def test_every_value_says_what_is_allowed_and_what_it_is():
    found = list(parts(SCHEMA))
    assert len(found) > 80
    assert [at for at, schema in found if not schema.get("title") or not schema.get("description")] == []


def test_every_map_of_known_keys_is_closed():
    open_maps = {
        at.split(".")[-1]
        if at.endswith((".provider", "components.additionalProperties"))
        else at.rpartition(".heal.")[2]
        for at, schema in parts(SCHEMA)
        if schema.get("properties") and "additionalProperties" not in schema
    }
    # Options of a provider are told by its name, those of a component by its type, and remedies of others have names
    # that no schema here can know.
    assert open_maps == {"provider", "additionalProperties", "additionalProperties.do.items"}


def test_what_is_not_in_this_version_is_not_in_the_schema():
    text = json.dumps(SCHEMA)
    assert not later.names("key", KEYS) & {*SCHEMA["properties"]}
    for kind in ("host option", "provider", "provisioner", "remedy"):
        others = {name for other in KINDS for name in outsiders.names(other)}  # an inventory is called ansible, too
        names = later.names(kind) - others
        assert [name for name in names if f'"{name}"' in text and not whose_option(name)] == []


def test_no_text_stands_for_a_number_once_parameters_are_put_in():
    assert REFERENCE not in json.dumps(resolved(SCHEMA)).replace("\\\\", "\\")
    assert REFERENCE in json.dumps(SCHEMA).replace("\\\\", "\\")
    assert resolved(SCHEMA)["properties"]["hosts"]["additionalProperties"]["properties"]["count"]["type"] == ["integer"]


def test_an_environment_may_remove_anything_but_names_no_stack():
    environment = SCHEMA["properties"]["environments"]["additionalProperties"]
    assert "stack" not in environment["properties"]
    assert "environments" not in environment["properties"]
    assert [at for at, schema in parts(environment) if "items" not in at and not takes_null(schema)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"hosts": {"web": {"user": None, "image": None}}},
        {"defaults": {"user": None}},
        {"provider": {"name": "container", "engine": None}},
    ],
)
def test_what_an_environment_removes_is_no_mistake_to_an_editor(change):
    stack = {"stack": "shop", "hosts": {"web": {"user": "ops"}}, "environments": {"dev": change}}
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(stack)] == []


def takes_null(schema):
    one = "null" in schema.get("type", []) or None in schema.get("enum", [])
    return one or any(takes_null(each) for each in schema.get("anyOf", ()))


def test_the_verb_prints_it():
    ran = CliRunner().invoke(command)
    assert ran.exit_code == 0
    printed = json.loads(ran.output)
    Draft202012Validator.check_schema(printed)
    assert printed == whole()
    assert ran.output.startswith('{\n  "$schema": "https://json-schema.org/draft/2020-12/schema"')


def test_the_options_of_every_provider_are_in_it_and_described():
    provider = whole()["properties"]["provider"]
    options = {each["if"]["properties"]["name"]["const"]: each["then"] for each in provider["allOf"]}
    assert [*options] == outsiders.names("provider")
    assert {*options["existing"]["properties"]} == {
        "name", "from", "known-hosts", "pin", "config", "agent", "pipelined", "connect-timeout",
    }  # fmt: skip
    assert {*options["container"]["properties"]} == {"name", "engine", "subnet", "endpoints", "memory"}
    found = [(name, key, each) for name, one in options.items() for key, each in one["properties"].items()]
    assert [(name, key) for name, key, each in found if not each.get("title") or not each.get("description")] == []


@pytest.mark.parametrize(
    ("provider", "fits"),
    [
        ("existing", True),
        ({"name": "existing", "pin": True, "connect-timeout": "5s", "agent": "{param.agent}"}, True),
        ({"name": "existing", "pn": True}, False),
        ({"name": "existing", "pin": "yes"}, False),
        ({"name": "existing", "engine": "docker"}, False),
        ({"name": "container", "engine": "docker", "memory": "1GiB"}, True),
        ({"name": "container", "engine": "lxc"}, False),
        ({"name": "fake", "fail": ["create web"], "transport": {"otherwise": "run"}}, True),
        ({"name": "somebody-elses", "whatever": 1}, True),
    ],
)
def test_it_knows_right_options_from_wrong_ones(provider, fits):
    validator = Draft202012Validator(whole())
    assert validator.is_valid({"stack": "s", "provider": provider}) is fits
    assert validator.is_valid({"stack": "s", "environments": {"dev": {"provider": provider}}}) is fits


def test_a_key_that_hosts_of_several_providers_have_is_described_for_all_of_them():
    keys = whole()["properties"]["hosts"]["additionalProperties"]["properties"]
    assert keys["image"]["description"] == (
        "The image it is made from, such as debian-12 (the default). "
        "Of cloud: Its image by name, pattern (`*`) or id, the newest that matches (default: debian-12)."
    )
    assert keys["address"]["description"].startswith("Of cloud: Which of its addresses is used: ")
    assert keys["address"]["description"].endswith(" Of existing: Where a host is that exists already.")
    assert "no limit" not in keys["memory"]["description"]  # which holds for containers alone
