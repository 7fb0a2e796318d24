"""Parameters: `-D` and defaults, and what they are put into."""

from __future__ import annotations

import pytest

from infratest.errors import StackFileError, UserError


def problem(load_text, text, **arguments):
    with pytest.raises(UserError) as raised:
        load_text(text, **arguments)
    return str(raised.value)


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


def test_parameters_are_put_into_text_and_stand_for_numbers(load_text):
    found = load_text(TYPED, parameters={"web": "3", "root": "true"})
    assert found.parameters == {"release": "12", "web": 3, "ratio": 1.0, "root": True}
    assert [host.name for host in found.hosts] == ["web-1", "web-2", "web-3"]
    web = found.hosts[0]
    assert (web.options.image, web.sudo, web.options.ports) == ("debian-12", True, (3, 80))
    assert web.labels == {"web": "3", "root": "true", "brace": "{param.web} {x} {", "twice": "1212"}


def test_a_value_with_braces_is_not_replaced_again(load_text):
    found = load_text(TYPED, parameters={"release": "{param.web}{{"})
    assert found.hosts[0].options.image == "debian-{param.web}{{"


@pytest.mark.parametrize(
    "given, fragment",
    [
        ({"relase": "1"}, "-D relase: unknown parameter 'relase': did you mean 'release'?"),
        ({"relase": "1"}, "; `parameters:` of stack.yaml declares what there is"),
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
def test_parameter_texts_that_cannot_be_used(load_text, given, fragment):
    assert fragment in problem(load_text, TYPED, parameters=given)


def test_parameter_without_default_is_given(load_text):
    text = "stack: s\nparameters: {n: {type: string}}\nhosts: {w: {image: 'x{param.n}'}}\n"
    assert load_text(text, parameters={"n": ""}).hosts[0].options.image == "x"


def test_planning_puts_values_into_sentences_and_outputs(load_text):
    found = load_text(
        """
stack: s
parameters: {path: {type: string, default: "a b"}}
hosts: {w: {ready: ['the command "test -e {param.path}" exits 0', "{{x"]}}
outputs: {url: "http://{host.w.address}/{param.path}"}
"""
    )
    assert found.hosts[0].ready == ('the command "test -e {param.path}" exits 0', "{{x")
    assert found.outputs == {"url": "http://{host.w.address}/{param.path}"}


def test_values_are_quoted_in_a_remedys_command_alone(load_text):
    found = load_text(
        """
stack: s
parameters: {path: {type: string, default: "a b; reboot"}}
hosts: {w: {}}
heal: {r: {do: [{run: "rm {param.path}"}, {run: {command: "rm {param.path}"}}, {hook: [notify, "{param.path}"]}]}}
"""
    )
    assert found.heal[0].do == (
        ("run", "rm 'a b; reboot'"),
        ("run", {"command": "rm 'a b; reboot'"}),
        ("hook", ["notify", "a b; reboot"]),
    )


def test_provider_options_take_typed_parameters(load_text):
    found = load_text(
        "stack: s\nparameters: {pin: {type: boolean, default: true}}\n"
        "provider: {name: existing, pin: '{param.pin}'}\nhosts: {w: {}}\n"
    )
    assert found.provider_options == {"pin": True}


def test_a_secret_that_must_be_a_parameter_is_one(load_text, monkeypatch):
    text = "stack: s\nprovider: {name: cloud, driver: ec2, key: %s, secret: '{param.key}'}\nhosts: {web: {}}\n"
    text += "parameters: {key: {type: string, secret: true, from: {env: CLOUD_KEY}}}\n"
    monkeypatch.setenv("CLOUD_KEY", "hunter2hunter2")
    assert load_text(text % "'{param.key}'").provider_options["key"] == "hunter2hunter2"
    words = r"provider\.key: found a text that is not shown here, allowed is a parameter"
    with pytest.raises(StackFileError, match=words):
        load_text(text % "AKIA")
