"""The stack file as values; and every way in which one cannot be used, one file a case in tests/data/stack/invalid.

A case begins with `# expect: FRAGMENT` lines (fragments of the one message) and may name `# error:` and `# env:`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest import errors
from infratest.errors import StackFileError, UserError
from infratest.providers.base import HostSpec
from infratest.stack.declared import HealRule
from infratest.stack.environments import merged
from infratest.stack.file import load, local_stack

DATA = Path(__file__).parent.parent / "data" / "stack"
INVALID = sorted((DATA / "invalid").glob("*.yaml"))


@pytest.fixture
def stack(tmp_path, monkeypatch):
    """Write a stack file here and load it by its bare name."""
    monkeypatch.chdir(tmp_path)

    def load_text(text, **arguments):
        Path("stack.yaml").write_text(text, encoding="utf-8")
        return load(Path("stack.yaml"), **arguments)

    return load_text


def problem(stack, text, **arguments):
    with pytest.raises(UserError) as raised:
        stack(text, **arguments)
    return str(raised.value)


# --- what cannot be used


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_file_ends_in_one_clear_message(path):
    head = path.read_text(encoding="utf-8")
    fragments = re.findall(r"^# expect: (.+)$", head, re.MULTILINE)
    env = re.search(r"^# env: (\w+)$", head, re.MULTILINE)
    kind = re.search(r"^# error: (\w+)$", head, re.MULTILINE)
    with pytest.raises(UserError) as raised:
        load(path, env[1] if env else None)
    message = str(raised.value)
    assert fragments
    assert [
        fragment for fragment in fragments if fragment.replace("\\t", "\t") not in message.replace(r"\t", "\t")
    ] == []
    assert type(raised.value) is getattr(errors, kind[1] if kind else "StackFileError")
    assert message.startswith(f"{path}:")
    assert "\n" not in message


def test_there_are_many_invalid_cases():
    assert len(INVALID) >= 70


@pytest.mark.parametrize(
    "data, fragments",
    [
        (b"", ["stack.yaml: the file is empty", "`infratest init`"]),
        (b"# a comment\n", ["the file is empty"]),
        (b"---\n", ["the file is empty"]),
        (b"stack: shop\n# caf\xe9\n", ["stack.yaml:2: byte 0xe9 is not UTF-8; save the file as UTF-8"]),
        (b"stack: sh\x07op\n", ["stack.yaml:1: the character U+0007 cannot be in a stack file"]),
        (b"shop", ["stack.yaml:1: found one value, a stack file is a map"]),
        (b"stack: shop\nhosts: " + b"[" * 5000, ["nested too deeply"]),
        (b"stack: shop\nhosts: " + b"{a: " * 3000 + b"}" * 3000, ["nested too deeply"]),
        (b"# " + b"x" * 2**20, ["stack.yaml is larger than 1024 KiB"]),
        (b'stack: shop\nhosts: {web: {image: "a\\0b"}}\n', ["stack.yaml:2: hosts.web.image: a NUL character"]),
        (b'stack: shop\nhosts: {web: {image: "\\ud800"}}\n', ["hosts.web.image: half a character"]),
        (b'stack: shop\nhosts: {"web\\n": {}}\n', [r"hosts.web: found the name 'web\n', allowed is a name"]),
        (b"stack: shop\nhosts: {web: {count: " + b"9" * 5000 + b"}}\n", ["hosts.web.count: ", "is not a value"]),
        (b"stack: shop\nhosts: {web: {memory: " + b"9" * 500 + b"TiB}}\n", ["hosts.web.memory: ", "too large"]),
    ],
    ids=lambda value: None if isinstance(value, list) else repr(value[:24]),
)
def test_bytes_that_are_no_stack_file(tmp_path, monkeypatch, data, fragments):
    monkeypatch.chdir(tmp_path)
    Path("stack.yaml").write_bytes(data)
    with pytest.raises(UserError) as raised:
        load(Path("stack.yaml"))
    for fragment in fragments:
        assert fragment in str(raised.value)
    assert len(str(raised.value)) < 400


def test_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(StackFileError, match=r"no stack file .*nowhere\.yaml: `infratest init` writes one"):
        load(tmp_path / "nowhere.yaml")


def test_directory_and_pipe_are_no_stack_file(tmp_path):
    with pytest.raises(StackFileError, match="is a directory; name the stack file in it"):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StackFileError, match="is not a regular file"):
        load(tmp_path / "pipe")


def test_file_below_a_file_and_overlong_name_cannot_be_read(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StackFileError, match="cannot be read: Not a directory"):
        load(tmp_path / "file" / "stack.yaml")
    with pytest.raises(StackFileError, match="cannot be read: File name too long"):
        load(tmp_path / ("x" * 300))


# --- hosts


def test_the_shop_of_the_documentation(tmp_path):
    found = load(DATA / "shop" / "stack.yaml")
    where = str(DATA / "shop" / "stack.yaml")
    assert (found.name, found.env, found.environments) == ("shop", "dev", ("dev", "wide", "prod"))
    assert (found.provider, found.provider_options, found.production) == ("container", {}, False)
    assert found.folder == DATA / "shop"
    assert found.parameters == {"nginx_version": "1.22"}
    assert found.outputs == {"url": "http://{host.lb.address}/"}
    assert found.features == ("features", "@linux-baseline")
    web = {
        "groups": ("web",),
        "labels": {"role": "web"},
        "after": ("db",),
        "image": "debian-12",
        "memory": 268435456,
        "user": "root",
        "ports": (80,),
        "ready": ("port 22 is listening", 'the command "test -e /run/ready" exits 0'),
        "provision": (
            {"file": {"from": "files/shop.conf", "to": "/etc/nginx/conf.d/shop.conf", "mode": "0644"}},
            {"shell": "provision/web.sh"},
        ),
        "where": f"{where}:13",
    }
    shared = {"image": "debian-12", "memory": 268435456, "user": "root"}
    assert found.hosts == (
        HostSpec(name="lb", groups=("edge",), after=("web-1", "web-2"), where=f"{where}:9", **shared),
        HostSpec(name="db", groups=("data",), provision=({"shell": "provision/db.sh"},), where=f"{where}:10", **shared),
        HostSpec(name="web-1", **web),
        HostSpec(name="web-2", **web),
    )
    assert found.heal == (
        HealRule(
            name="restart-nginx",
            when_tags="@web",
            when_state="critical",
            confirm=2,
            do=(("restart-service", "nginx"), ("provision", {})),
            tries=3,
            per=3600.0,
            at_most=0.3,
            mode="observe",
            where=f"{where}:31",
        ),
    )


def test_the_shop_in_its_other_environments():
    wide = load(DATA / "shop" / "stack.yaml", "wide")
    assert [host.name for host in wide.hosts] == ["lb", "db", "web-1", "web-2", "web-3", "web-4"]
    assert wide.hosts[0].after == ("web-1", "web-2", "web-3", "web-4")
    assert wide.parameters == {"nginx_version": "1.26"}
    prod = load(DATA / "shop" / "stack.yaml", "prod")
    assert (prod.provider, prod.production) == ("existing", True)
    assert [host.name for host in prod.hosts] == ["lb", "db", "web-1"]
    assert prod.hosts[0].after == ()  # web is not in this environment
    web = prod.hosts[2]
    assert (web.address, web.user, web.groups, web.image) == ("192.0.2.11", "nagios", ("web",), "debian-12")


def test_defaults_are_what_a_host_does_not_say(stack):
    found = stack(
        """
stack: s
defaults: {image: debian-12, memory: 1GiB, labels: {site: a, role: none}, groups: [all], sudo: true}
hosts:
  one: {}
  two: {image: debian-13, labels: {role: web}, groups: [web], sudo: false, memory: 512 MiB}
"""
    )
    one, two = found.hosts
    assert (one.image, one.memory, one.groups, one.sudo) == ("debian-12", 2**30, ("all",), True)
    assert one.labels == {"site": "a", "role": "none"}
    assert (two.image, two.memory, two.groups, two.sudo) == ("debian-13", 2**29, ("web",), False)
    assert two.labels == {"site": "a", "role": "web"}


def test_hosts_of_existing_say_how_they_are_reached(stack):
    found = stack(
        """
stack: s
provider: {name: existing, pin: true}
hosts:
  web: {address: 192.0.2.1, port: 2222, user: nagios, key: keys/id, jump: "me@gate:22", sudo: true}
  db: {}
"""
    )
    web, db = found.hosts
    assert (web.address, web.port, web.user, web.key, web.jump, web.sudo) == (
        "192.0.2.1", 2222, "nagios", "keys/id", "me@gate:22", True,
    )  # fmt: skip
    assert (db.address, db.port, db.user, db.key, db.jump, db.sudo) == ("", None, "", "", "", False)
    assert found.provider_options == {"pin": True}


def test_after_may_name_one_of_many(stack):
    found = stack("stack: s\nhosts: {web: {count: 2}, lb: {after: [web-1, web]}}\n")
    assert found.hosts[2].after == ("web-1", "web-2")


def test_count_of_one_is_numbered_too(stack):
    assert [host.name for host in stack("stack: s\nhosts: {web: {count: 1}}\n").hosts] == ["web-1"]


def test_on_and_yes_and_dates_are_text(stack):
    found = stack("stack: s\nhosts: {on: {image: 2024-01-01}, yes: {user: no}}\n")
    assert [(host.name, host.image, host.user) for host in found.hosts] == [("on", "2024-01-01", ""), ("yes", "", "no")]


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    (tmp_path / "stack.yaml").write_bytes(b"\xef\xbb\xbfstack: s\r\nhosts:\r\n  web: {}\r\n")
    assert load(tmp_path / "stack.yaml").hosts[0].where == f"{tmp_path / 'stack.yaml'}:3"


def test_provider_local_needs_no_host(stack):
    assert [host.name for host in stack("stack: s\nprovider: local\n").hosts] == ["local"]


def test_this_machine_without_a_stack_file():
    found = local_stack()
    assert (found.name, found.provider, found.env, found.hosts) == ("local", "local", "", (HostSpec(name="local"),))
    assert found.path == Path()
    assert found.folder == Path.cwd()


def test_provision_paths_are_relative_to_the_stack_file(tmp_path, monkeypatch):
    (tmp_path / "project" / "provision").mkdir(parents=True)
    (tmp_path / "project" / "provision" / "web.sh").touch()
    (tmp_path / "project" / "stack.yaml").write_text("stack: s\nhosts: {w: {provision: [{shell: provision/web.sh}]}}\n")
    monkeypatch.chdir(tmp_path)
    found = load(Path("project/stack.yaml"))
    assert found.hosts[0].provision == ({"shell": "provision/web.sh"},)
    assert found.folder == tmp_path / "project"
    assert found.hosts[0].where == "project/stack.yaml:2"


# --- environments

TWO = """
stack: s
hosts: {web: {image: a, labels: {x: "1", y: "2"}, groups: [p, q]}, db: {}}
environments:
  dev:
  prod: {hosts: {web: {image: null, labels: {y: null, z: "3"}, groups: [r]}, db: null, new: {}}}
"""


def test_first_environment_is_the_default(stack):
    assert stack(TWO).env == "dev"
    assert stack(TWO, env="dev").hosts == stack(TWO).hosts


def test_environment_merges_maps_replaces_lists_and_removes_by_null(stack):
    found = stack(TWO, env="prod")
    assert [host.name for host in found.hosts] == ["web", "new"]
    web = found.hosts[0]
    assert (web.image, web.labels, web.groups) == ("", {"x": "1", "z": "3"}, ("r",))


def test_environment_must_be_named_where_asked(stack):
    message = problem(stack, TWO, require_env=True)
    assert message == "stack.yaml has 2 environments: name one of dev, prod with --env"
    assert stack(TWO, env="prod", require_env=True).env == "prod"
    assert stack("stack: s\nhosts: {w: {}}\nenvironments: {one: {}}\n", require_env=True).env == "one"
    assert stack("stack: s\nhosts: {w: {}}\n", require_env=True).env == ""


def test_unknown_environment_names_the_nearest(stack):
    assert "unknown environment 'prd': did you mean 'prod'? known are dev, prod" in problem(stack, TWO, env="prd")
    assert "has no environments, and --env names 'x'" in problem(stack, "stack: s\nhosts: {w: {}}\n", env="x")


def test_error_in_an_environment_names_its_line(stack):
    text = "stack: s\nhosts: {w: {}}\nenvironments:\n  a:\n    hosts:\n      w: {image: '{param.no}'}\n"
    assert problem(stack, text).startswith("stack.yaml:6: environments.a.hosts.w.image: {param.no}: unknown parameter")


def test_another_provider_gets_none_of_the_first_ones_options(stack):
    text = """
stack: s
provider: {name: container, network: x}
hosts: {w: {}}
environments: {a: {}, b: {provider: existing}, c: {provider: {network: z}}, d: {provider: {name: fake, k: 1}}}
"""
    assert stack(text).provider_options == {"network": "x"}
    b, c, d = (stack(text, env=name) for name in "bcd")
    assert (b.provider, b.provider_options) == ("existing", {})
    assert (c.provider, c.provider_options) == ("container", {"network": "z"})
    assert (d.provider, d.provider_options) == ("fake", {"k": 1})


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


# --- parameters

TYPED = """
stack: s
parameters:
  release: {type: string, default: "12"}
  web: {type: integer, default: 2}
  ratio: {type: number, default: 1}
  root: {type: boolean, default: false}
hosts:
  web: {count: "{param.web}", image: "debian-{param.release}", sudo: "{param.root}", ports: ["{param.web}", 80],
        labels: {web: "{param.web}", root: "{param.root}", brace: "{{param.web} {x} {",
                 twice: "{param.release}{param.release}"}}
"""


def test_parameters_are_put_into_text_and_stand_for_numbers(stack):
    found = stack(TYPED, parameters={"web": "3", "root": "true"})
    assert found.parameters == {"release": "12", "web": 3, "ratio": 1.0, "root": True}
    assert [host.name for host in found.hosts] == ["web-1", "web-2", "web-3"]
    web = found.hosts[0]
    assert (web.image, web.sudo, web.ports) == ("debian-12", True, (3, 80))
    assert web.labels == {"web": "3", "root": "true", "brace": "{param.web} {x} {", "twice": "1212"}


def test_a_value_with_braces_is_not_replaced_again(stack):
    found = stack(TYPED, parameters={"release": "{param.web}{{"})
    assert found.hosts[0].image == "debian-{param.web}{{"


@pytest.mark.parametrize(
    "given, fragment",
    [
        ({"relase": "1"}, "-D relase: unknown parameter 'relase': did you mean 'release'?"),
        ({"web": "two"}, "-D web: 'two' is not a whole number, which parameter 'web' is"),
        ({"web": "2.5"}, "-D web: '2.5' is not a whole number"),
        ({"web": ""}, "-D web: empty text is not a whole number"),
        ({"web": "9" * 5000}, "is not a whole number"),
        ({"web": "\u0663"}, "is not a whole number"),
        ({"ratio": "nan"}, "-D ratio: 'nan' is not a number"),
        ({"ratio": "1e999"}, "-D ratio: '1e999' is not a number"),
        ({"root": "yes"}, "-D root: 'yes' is not true or false"),
        ({"release": "\udcff"}, "-D release: '\\udcff' is not text"),
        ({"web": "5000"}, "hosts.web.count: found the number 5000, allowed is a whole number from 1 to 1000"),
    ],
)
def test_parameter_texts_that_cannot_be_used(stack, given, fragment):
    assert fragment in problem(stack, TYPED, parameters=given)


def test_parameter_without_default_is_given(stack):
    text = "stack: s\nparameters: {n: {type: string}}\nhosts: {w: {image: 'x{param.n}'}}\n"
    assert stack(text, parameters={"n": ""}).hosts[0].image == "x"


def test_planning_puts_values_into_sentences_and_outputs(stack):
    found = stack(
        """
stack: s
parameters: {path: {type: string, default: "a b"}}
hosts: {w: {ready: ['the command "test -e {param.path}" exits 0', "{{x"]}}
outputs: {url: "http://{host.w.address}/{param.path}"}
"""
    )
    assert found.hosts[0].ready == ('the command "test -e {param.path}" exits 0', "{{x")
    assert found.outputs == {"url": "http://{host.w.address}/{param.path}"}


def test_values_are_quoted_in_a_remedys_command_alone(stack):
    found = stack(
        """
stack: s
parameters: {path: {type: string, default: "a b; reboot"}}
hosts: {w: {}}
heal: {r: {do: [{run: "rm {param.path}"}, {hook: [notify, "{param.path}"]}]}}
"""
    )
    assert found.heal[0].do == (("run", "rm 'a b; reboot'"), ("hook", ["notify", "a b; reboot"]))


def test_provider_options_take_typed_parameters(stack):
    found = stack(
        "stack: s\nparameters: {pin: {type: boolean, default: true}}\n"
        "provider: {name: existing, pin: '{param.pin}'}\nhosts: {w: {}}\n"
    )
    assert found.provider_options == {"pin": True}


# --- heal


def test_heal_rule_with_nothing_but_a_ladder_takes_the_careful_defaults(stack):
    (rule,) = stack("stack: s\nhosts: {w: {}}\nheal: {r: {do: [{run: 'true'}]}}\n").heal
    assert rule == HealRule(
        name="r", when_tags="", when_state="critical", confirm=2, do=(("run", "true"),), tries=3, per=3600.0,
        at_most=0.3, mode="observe", where="stack.yaml:3",
    )  # fmt: skip


def test_heal_rule_says_all(stack):
    (rule,) = stack(
        """
stack: s
hosts: {w: {}}
heal:
  r:
    when: {state: warning}
    confirm: 1
    do: [{hook: hooks/page.sh}]
    budget: {per: 30 min}
    at-most: 12.5 %
    mode: auto
"""
    ).heal
    assert (rule.when_state, rule.confirm, rule.do) == ("warning", 1, (("hook", "hooks/page.sh"),))
    assert (rule.tries, rule.per, rule.at_most, rule.mode) == (3, 1800.0, 0.125, "auto")
