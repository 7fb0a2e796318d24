"""Environments: which is chosen, and how one changes the stack."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.errors import UserError
from infratest.stack.environments import merged


def problem(load_text, text, **arguments):
    with pytest.raises(UserError) as raised:
        load_text(text, **arguments)
    return str(raised.value)


TWO = """
stack: s
hosts: {web: {image: a, labels: {x: "1", y: "2"}, groups: [p, q]}, db: {}}
environments:
  dev:
  prod: {hosts: {web: {image: null, labels: {y: null, z: "3"}, groups: [r]}, db: null, new: {}}}
"""


def test_first_environment_is_the_default(load_text):
    assert load_text(TWO).env == "dev"
    assert load_text(TWO, env="dev").hosts == load_text(TWO).hosts


def test_environment_merges_maps_replaces_lists_and_removes_by_null(load_text):
    found = load_text(TWO, env="prod")
    assert [host.name for host in found.hosts] == ["web", "new"]
    web = found.hosts[0]
    assert (web.options.image, web.labels, web.groups) == ("", {"x": "1", "z": "3"}, ("r",))


def test_environment_must_be_named_where_asked(load_text):
    message = problem(load_text, TWO, require_env=True)
    assert message == "stack.yaml has 2 environments: name one of dev, prod with --env"
    assert load_text(TWO, env="prod", require_env=True).env == "prod"
    assert load_text("stack: s\nhosts: {w: {}}\nenvironments: {one: {}}\n", require_env=True).env == "one"
    assert load_text("stack: s\nhosts: {w: {}}\n", require_env=True).env == ""


def test_unknown_environment_names_the_nearest(load_text):
    assert "unknown environment 'prd': did you mean 'prod'? known are dev, prod" in problem(load_text, TWO, env="prd")
    assert "has no environments, and --env names 'x'" in problem(load_text, "stack: s\nhosts: {w: {}}\n", env="x")


def test_error_in_an_environment_names_its_line(load_text):
    text = "stack: s\nhosts: {w: {}}\nenvironments:\n  a:\n    hosts:\n      w: {image: '{param.no}'}\n"
    assert problem(load_text, text).startswith(
        "stack.yaml:6: environments.a.hosts.w.image: {param.no}: unknown parameter"
    )


def test_another_provider_gets_none_of_the_first_ones_options(load_text):
    text = """
stack: s
provider: {name: container, subnet: x}
hosts: {w: {}}
environments: {a: {}, b: {provider: existing}, c: {provider: {subnet: z}}, d: {provider: {name: fake, world: w}}}
"""
    assert load_text(text).provider_options == {"subnet": "x"}
    b, c, d = (load_text(text, env=name) for name in "bcd")
    assert (b.provider, b.provider_options) == ("existing", {})
    assert (c.provider, c.provider_options) == ("container", {"subnet": "z"})
    assert (d.provider, d.provider_options) == ("fake", {"world": "w"})


values = st.recursive(
    st.one_of(st.integers(0, 3), st.text("ab", max_size=2), st.lists(st.integers(0, 2), max_size=2)),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
maps = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
changes = st.dictionaries(st.sampled_from("abc"), st.none() | values, max_size=3)


def leaves(value, at=()):
    """What a map says: each path to something that is no map, or to an empty map."""
    if isinstance(value, dict) and value:
        return {path: leaf for key, inner in value.items() for path, leaf in leaves(inner, (*at, key)).items()}
    return {at: value}


@given(maps, changes)
def test_merge_says_what_the_change_says_and_else_what_was_there(base, over):
    result = leaves(merged(base, over))
    for path, leaf in leaves(over).items():
        if leaf is None:
            assert not any(key[: len(path)] == path for key in result)
        elif leaf != {}:
            assert result[path] == leaf
    touched = [path for path in leaves(over) if path]
    for path, leaf in leaves(base).items():
        if leaf != {} and not any(path[: len(change)] == change[: len(path)] for change in touched):
            assert result[path] == leaf


@given(maps)
def test_merge_with_nothing_or_itself_changes_nothing(base):
    assert merged(base, {}) == base
    assert merged(base, base) == base
    assert merged({}, base) == base


def test_what_stands_in_a_list_of_an_environment_is_told_with_its_line_there(load_text):
    text = (
        "stack: s\n"
        "hosts: {w: {}}\n"
        "waivers: [{id: a, why: b, until: 2027-01-01}, {id: c, why: d, until: 2027-01-01}]\n"
        "environments:\n"
        "  dev:\n"
        "    waivers:\n"
        "      - {id: x, why: y, until: 2027-01-01}\n"
        "      - {id: x2, why: y, until: 2027-02-30}\n"
    )
    assert "stack.yaml:8: environments.dev.waivers[1].until: '2027-02-30' is no day" in problem(load_text, text)
    made = load_text(text.replace("02-30", "02-28"))
    assert [(waiver.id, waiver.line) for waiver in made.waivers] == [("x", 7), ("x2", 8)]
