"""Options of hosts belong to their provider: what it has, where a stack changes it, and one that others bring."""

from __future__ import annotations

import sys

import pytest

from infratest.errors import NotInThisVersion, StackFileError, UserError
from infratest.providers import existing
from infratest.providers.container import HostOptions as OfContainer
from infratest.stack.schema import host_options, whole

SEVENTH = '''
from dataclasses import dataclass, field
from infratest.providers.base import Made
from infratest.providers.fake import Fake, Options

@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a seventh kind of host."""

    cpus: int = field(default=1, metadata={"description": "Processors.", "low": 1, "high": 64})
    rack: str = field(metadata={"description": "Where it stands.", "own": True, "pattern": "^r[0-9]+$"})

class Seventh(Fake):
    """A seventh provider."""
'''


@pytest.fixture
def seventh(tmp_path, monkeypatch):
    """Install a provider as a user's package would bring it."""
    place = tmp_path / "site"
    information = place / "seventh-1.0.dist-info"
    information.mkdir(parents=True)
    (place / "their_provider.py").write_text(SEVENTH)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: seventh\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[infratest.provider]\nseventh = their_provider:Seventh\n")
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.delitem(sys.modules, "their_provider", raising=False)
    yield
    sys.modules.pop("their_provider", None)


def refused(load_text, text, **arguments) -> str:
    with pytest.raises(UserError) as raised:
        load_text(text, **arguments)
    return str(raised.value)


TWO = """
stack: s
provider: container
defaults: {image: debian-12, port: 2222, user: admin}
hosts: {web: {memory: 1GiB, ports: [443, 80]}}
environments:
  dev: {}
  prod: {provider: existing, hosts: {web: {address: 192.0.2.1}}}
"""


def test_each_environment_takes_what_its_provider_has(load_text):
    assert load_text(TWO).hosts[0].options == OfContainer(
        image="debian-12", user="admin", memory=2**30, ports=(443, 80)
    )
    web = load_text(TWO, env="prod").hosts[0]
    assert web.options == existing.HostOptions(address="192.0.2.1", port=2222, user="admin")
    given = {"address": "192.0.2.1", "port": 2222, "user": "admin", "key": "", "jump": "", "config": ""}
    assert web.made_from() == given


def test_what_a_host_is_made_from_is_all_its_options_in_any_order_of_ports(load_text):
    made = load_text(TWO).hosts[0].made_from()
    assert made == {"image": "debian-12", "user": "admin", "memory": 2**30, "ports": [80, 443], "cpus": None,
                    "command": "", "environment": []}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "env", "words"),
    [
        # What an environment says is for its own provider.
        (TWO.replace("address: 192.0.2.1", "image: x"), "prod",
         "stack.yaml:8: environments.prod.hosts.web.image: this key is for `provider: cloud` or"),
        (TWO.replace("dev: {}", "dev: {defaults: {key: k}}"), "dev",
         "stack.yaml:7: environments.dev.defaults.key: this key is for `provider: existing`; provider 'container'"),
        # What a host says at the top is for the provider there.
        (TWO.replace("memory: 1GiB", "jump: gate"), "dev",
         "stack.yaml:5: hosts.web.jump: this key is for `provider: cloud` or"),
        # No provider of the stack has it.
        ("stack: s\nprovider: existing\ndefaults: {image: x}\nhosts: {w: {}}\n", None,
         "stack.yaml:3: defaults.image: this key is for `provider: cloud` or `provider: container` or"),
        ("stack: s\nprovider: local\nhosts: {w: {address: 192.0.2.1, user: x}}\n", None,
         "stack.yaml:3: hosts.w.address: this key is for `provider: cloud` or `provider: existing`; provider 'local'"),
        # Its own checks.
        ("stack: s\nprovider: existing\nhosts: {w: {port: 0}}\n", None,
         "stack.yaml:3: hosts.w.port: found the number 0, allowed is a port number from 1 to 65535"),
        ("stack: s\nprovider: {name: container, engine: dokcer}\nhosts: {w: {}}\n", None,
         "stack.yaml:2: provider.engine: unknown value 'dokcer': did you mean 'docker'? known are auto, docker"),
    ],
)  # fmt: skip
def test_an_option_that_the_provider_has_not_is_refused(load_text, text, env, words):
    assert words in refused(load_text, text, env=env)


def test_options_of_later_are_refused_by_name(load_text):
    with pytest.raises(NotInThisVersion, match=r"stack.yaml:2: hosts.w.networks: not in this version"):
        load_text("stack: s\nhosts: {w: {networks: [front]}}\n")


def test_all_mistakes_of_a_file_are_told_at_once(load_text):
    text = """
stack: s
hosts:
  a: {after: [nobody], transport: opnssh, memory: 0MiB}
  b: {provision: [{shell: none.sh}, {file: {from: none.conf, to: /x}}]}
  c: {count: 2}
  c-1: {}
heal: {r: {do: [{run: "true"}], budget: {per: 0s}, at-most: 100.5%}}
"""
    lines = refused(load_text, text).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "hosts.a.memory", "hosts.a.transport", "hosts.a.after[0]", "hosts.b.provision[0].shell",
        "hosts.b.provision[1].file.from", "hosts.c-1", "heal.r.at-most", "heal.r.budget.per",
    ]  # fmt: skip


def test_parameters_are_typed_as_the_option_is(load_text):
    text = """
stack: s
provider: {name: existing, agent: "{param.on}"}
parameters: {n: {type: integer, default: 2222}, on: {type: boolean, default: false}}
hosts: {w: {port: "{param.n}", user: "u{param.n}", key: "{param.n}"}}
"""
    found = load_text(text)
    assert found.hosts[0].options == existing.HostOptions(port=2222, user="u2222", key="2222")
    assert found.provider_options == {"agent": False}


OF_SEVENTH = "stack: s\nprovider: seventh\nhosts: {{w: {{{}}}}}\n"


@pytest.mark.usefixtures("seventh")
def test_an_outsiders_provider_brings_its_own(load_text):
    options = load_text(OF_SEVENTH.format("rack: r7, cpus: 2, memory: 1GiB")).hosts[0].options
    assert (type(options).__module__, options.rack, options.cpus, options.memory) == ("their_provider", "r7", 2, 2**30)
    assert "rack" in (host_options("seventh") or {})
    keys = whole()["properties"]["hosts"]["additionalProperties"]["properties"]
    assert (host_options("seventh") or {})["cpus"]["maximum"] == 64  # others have it too, with limits of their own
    assert keys["rack"]["description"] == "Where it stands."


@pytest.mark.usefixtures("seventh")
@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("rack: r1, address: 192.0.2.1", "hosts.w.address: this key is for `provider: cloud` or `provider: existing`"),
        ("rack: r1, cpus: 65", "hosts.w.cpus: found the number 65, allowed is a whole number"),
        ("rack: shelf", "hosts.w.rack: found 'shelf', allowed is text"),
        ("rack: r1, count: 2", "hosts.w.count: hosts with a value of their own for 'rack' cannot be many"),
        ("cpus: 1", "hosts.w: the key 'rack' is missing; Where it stands."),
        ("rack: r1, cpu: 1", "hosts.w.cpu: unknown key 'cpu': did you mean 'cpus'?"),
    ],
)  # fmt: skip
def test_an_outsiders_provider_refuses_by_itself(load_text, host, words):
    assert words in refused(load_text, OF_SEVENTH.format(host))


@pytest.mark.usefixtures("seventh")
def test_an_option_that_only_an_outsider_has_is_no_option_of_later_any_more(load_text):
    with pytest.raises(StackFileError, match=r"this key is for .*`provider: seventh`"):
        load_text("stack: s\nprovider: existing\nhosts: {w: {cpus: 2}}\n")


def test_a_provider_that_is_not_here_is_named_and_its_options_are_not_judged(load_text):
    far = "{provider: {name: elsewhere, x: 1}, hosts: {w: {y: 1}}}"
    text = f"stack: s\nhosts: {{w: {{}}}}\nenvironments: {{a: {{}}, b: {far}}}\n"
    assert load_text(text).provider == "container"
    assert "provider.name: unknown provider 'elsewhere'" in refused(load_text, text, env="b")
