"""The stack file as values; and every way in which one cannot be used, one file a case in tests/data/stack/invalid.

A case begins with `# expect: FRAGMENT` lines (fragments of the one message) and may name `# error:` and `# env:`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest import errors
from infratest.errors import StackFileError, UserError
from infratest.hosts import Host
from infratest.lifecycle.provision import environment_of
from infratest.providers.base import HostSpec
from infratest.providers.container import HostOptions
from infratest.stack.declared import HealRule
from infratest.stack.file import load, local_stack

DATA = Path(__file__).parent.parent / "data" / "stack"
INVALID = sorted((DATA / "invalid").glob("*.yaml"))


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
    assert [line for line in message.splitlines() if not line.startswith(f"{path}:")] == []  # one a line


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


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 70000), st.floats(), st.text(max_size=5), st.just("{param.x}"),
    st.lists(st.integers(0, 1) | st.just({}), max_size=2), st.just({"name": "x"}), st.just({"shell": "a\nb"}),
)  # fmt: skip


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_stands_at_a_key_ends_in_values_or_in_one_line(tmp_path_factory, data):
    stack = {
        "stack": "s",
        "provider": "fake",
        "parameters": {"x": {"type": "integer", "default": 2}},
        "defaults": {"memory": "1GiB"},
        "hosts": {"db": {"count": 2}, "web": {"after": ["db"], "ports": [80], "provision": [], "labels": {"a": "b"}}},
        "environments": {"dev": {"hosts": {"web": {"count": 3}}, "parameters": {"x": 3}}},
        "heal": {"r": {"when": {"tags": "@a"}, "do": [{"provision": {}}], "budget": {"per": "1h"}}},
        "budget": {"cost": "0.50 USD", "time": "2h"},
    }
    at = stack
    while True:
        key = data.draw(st.sampled_from(sorted(at)))
        if not isinstance(at[key], dict) or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(JUNK)
    path = tmp_path_factory.getbasetemp() / "junk.yaml"
    path.write_text(json.dumps(stack).replace("NaN", ".nan").replace("Infinity", ".inf"), encoding="utf-8")
    try:
        found = load(path)
    except UserError as error:
        refused = str(error)
    else:
        refused = ""
        assert found.hosts
        assert all(type(port) is int for spec in found.hosts for port in spec.options.ports)
    if "\n" in refused:  # several mistakes, one a line
        assert [line for line in refused.splitlines() if not line.startswith((str(path), "and "))] == []


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
        "options": HostOptions(image="debian-12", memory=268435456, user="root", ports=(80,)),
        "ready": ("port 22 is listening", 'the command "test -e /run/ready" exits 0'),
        "provision": (
            {"file": {"from": "files/shop.conf", "to": "/etc/nginx/conf.d/shop.conf", "mode": "0644"}},
            {"shell": "provision/web.sh"},
        ),
        "where": f"{where}:13",
    }
    shared = {"options": HostOptions(image="debian-12", memory=268435456, user="root")}
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
    assert (web.address, web.options.user, web.groups) == ("192.0.2.11", "nagios", ("web",))


def test_defaults_are_what_a_host_does_not_say(load_text):
    found = load_text(
        """
stack: s
defaults: {image: debian-12, memory: 1GiB, labels: {site: a, role: none}, groups: [all], sudo: true}
hosts:
  one: {}
  two: {image: debian-13, labels: {role: web}, groups: [web], sudo: false, memory: 512 MiB}
"""
    )
    one, two = found.hosts
    assert (one.options.image, one.options.memory, one.groups, one.sudo) == ("debian-12", 2**30, ("all",), True)
    assert one.labels == {"site": "a", "role": "none"}
    assert (two.options.image, two.options.memory, two.groups, two.sudo) == ("debian-13", 2**29, ("web",), False)
    assert two.labels == {"site": "a", "role": "web"}


def test_hosts_of_existing_say_how_they_are_reached(load_text):
    found = load_text(
        """
stack: s
provider: {name: existing, pin: true}
hosts:
  web: {address: 192.0.2.1, port: 2222, user: nagios, key: keys/id, jump: "me@gate:22", sudo: true}
  db: {}
"""
    )
    web, db = found.hosts
    own = web.options
    assert (own.address, own.port, own.user, own.key, own.jump, web.sudo) == (
        "192.0.2.1", 2222, "nagios", "keys/id", "me@gate:22", True,
    )  # fmt: skip
    own = db.options
    assert (own.address, own.port, own.user, own.key, own.jump, db.sudo) == ("", None, "", "", "", False)
    assert found.provider_options == {"pin": True}


def test_after_may_name_one_of_many(load_text):
    found = load_text("stack: s\nhosts: {web: {count: 2}, lb: {after: [web-1, web]}}\n")
    assert found.hosts[2].after == ("web-1", "web-2")


def test_count_of_one_is_numbered_too(load_text):
    assert [host.name for host in load_text("stack: s\nhosts: {web: {count: 1}}\n").hosts] == ["web-1"]


def test_on_and_yes_and_dates_are_text(load_text):
    found = load_text("stack: s\nhosts: {on: {image: 2024-01-01}, yes: {user: no}}\n")
    seen = [(host.name, host.options.image, host.options.user) for host in found.hosts]
    assert seen == [("on", "2024-01-01", ""), ("yes", "", "no")]


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    (tmp_path / "stack.yaml").write_bytes(b"\xef\xbb\xbfstack: s\r\nhosts:\r\n  web: {}\r\n")
    assert load(tmp_path / "stack.yaml").hosts[0].where == f"{tmp_path / 'stack.yaml'}:3"


def test_provider_local_needs_no_host(load_text):
    assert [host.name for host in load_text("stack: s\nprovider: local\n").hosts] == ["local"]


def test_this_machine_without_a_stack_file():
    found = local_stack({})
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


# --- heal


def test_heal_rule_with_nothing_but_a_ladder_takes_the_careful_defaults(load_text):
    (rule,) = load_text("stack: s\nhosts: {w: {}}\nheal: {r: {do: [{run: 'true'}]}}\n").heal
    assert rule == HealRule(
        name="r", when_tags="", when_state="critical", confirm=2, do=(("run", "true"),), tries=3, per=3600.0,
        at_most=0.3, mode="observe", where="stack.yaml:3",
    )  # fmt: skip


def test_heal_rule_says_all(load_text):
    (rule,) = load_text(
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


def test_how_many_hosts_are_healed_at_once_is_said_for_all_rules_or_for_one(load_text):
    rules = "a: {do: [{provision: {}}]}, b: {do: [{provision: {}}], together: 3}"
    a, b = load_text(f"stack: s\nhosts: {{w: {{}}}}\nheal: {{defaults: {{together: 1}}, {rules}}}\n").heal
    assert (a.together, b.together) == (1, 3)
    assert [rule.together for rule in load_text(f"stack: s\nhosts: {{w: {{}}}}\nheal: {{{rules}}}\n").heal] == [0, 3]


def test_how_long_it_must_stay_calm_after_an_approved_heal(load_text):
    rules = "a: {do: [{provision: {}}], earn: {calm: 24h}}, b: {do: [{provision: {}}]}"
    found = load_text(f"stack: s\nhosts: {{w: {{}}}}\nheal: {{{rules}}}\n").heal
    assert [(rule.approvals, rule.calm) for rule in found] == [(5, 86400.0), (5, 0.0)]


SCRIPTED = "stack: s\nhosts: {HOSTS}\nparameters: {PARAMETERS}\ndefaults: {provision: [{shell: p.sh}]}\n"


@pytest.mark.parametrize(
    ("hosts", "parameters", "lines"),
    [
        (
            "{web-1: {}, db: {}, web_1: {}}",
            "{}",
            ["hosts.web_1: 'web-1' and 'web_1' are both INFRATEST_ADDRESS_WEB_1 to"],
        ),
        (
            "{Web.2: {}, web: {count: 2}}",
            "{}",
            ["hosts.web: 'Web.2' and 'web-2' are both INFRATEST_ADDRESS_WEB_2 to the"],
        ),
        (
            "{web: {}}",
            "{db-host: {type: string, default: a}, db_host: {type: string, default: b}}",
            ["parameters.db_host: 'db-host' and 'db_host' are both INFRATEST_PARAM_DB_HOST to the scripts of"],
        ),
        ("{web-1: {}, web-2: {}}", "{web: {type: string, default: a}, web-1: {type: string, default: b}}", []),
    ],
)
def test_two_names_that_a_script_could_not_tell_apart(load_text, tmp_path, hosts, parameters, lines):
    (tmp_path / "p.sh").touch()
    text = SCRIPTED.replace("{HOSTS}", hosts).replace("{PARAMETERS}", parameters)
    if not lines:
        assert len(load_text(text).hosts) == 2
        return
    with pytest.raises(StackFileError) as refused:
        load_text(text)
    (said,) = str(refused.value).splitlines()
    assert lines[0] in said
    assert said.endswith("; rename one")
    assert load_text(text.replace("provision: [{shell: p.sh}]", "")).hosts  # nobody is told anything


@pytest.mark.parametrize(("own", "told"), [("", {}), ("hosts: {web_1: {}}\n", {"WEB_1": "web_1"})])
def test_names_of_inventories_are_no_fault_and_their_variable_is_the_stack_files_hosts(load_text, tmp_path, own, told):
    """Whoever checks them could not mend it; a script must not be told the wrong one's address."""
    (tmp_path / "p.sh").touch()
    (tmp_path / "team").write_text("Host web.1 web-1 db\n")
    text = "stack: s\nprovider: {name: existing, from: [{ssh-config: team}]}\ndefaults: {provision: [{shell: p.sh}]}\n"
    stack = load_text(text + own)
    names = [spec.name for spec in stack.hosts]
    assert {"web.1", "web-1", "db"} <= {*names}
    hosts = [Host(name, address=f"192.0.2.{place}") for place, name in enumerate(names)]
    found = environment_of(stack, hosts[0], hosts)
    addresses = {host.name: host.address for host in hosts}
    assert {name: value for name, value in found.items() if name.startswith("INFRATEST_ADDRESS_")} == {
        f"INFRATEST_ADDRESS_{name}": addresses[host] for name, host in {"DB": "db", **told}.items()
    }
    assert all(f"{host.name} {host.address} " in found["INFRATEST_HOSTS"] for host in hosts)


def test_a_stack_is_in_one_folder_by_whichever_way_it_is_named(tmp_path, monkeypatch):
    for name in ("shop", "other/deep"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shop/stack.yaml").write_text("stack: s\nhosts: {web: {}}\n")
    (tmp_path / "other/stack.yaml").write_text("stack: other\nhosts: {web: {}}\n")
    (tmp_path / "shop/link").symlink_to(tmp_path / "other/deep")
    monkeypatch.chdir(tmp_path / "shop")
    for way in ("stack.yaml", "../shop/stack.yaml", "../other/../shop/stack.yaml", f"{tmp_path}/shop/./stack.yaml"):
        assert load(Path(way)).folder == tmp_path / "shop", way
    # Behind a link that is the folder above its target, and not this one.
    beyond = load(Path("link/../stack.yaml"))
    assert (beyond.name, beyond.folder.resolve()) == ("other", tmp_path / "other")
