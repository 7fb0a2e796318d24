"""Sentences about commands: what no single case shows."""

from __future__ import annotations

from infratest.steps.command import CommandExits, CommandPrints

from infratest.facts._command import Output
from infratest.facts.base import Need


def output(exit=0, out="", err="", whole=True, seconds=0.25, exact=True):
    return Output(exit=exit, out=out, err=err, seconds=seconds, whole=whole, exact=exact)


def command(check, found):
    return check.observe({Need("command", ("x",)): found})


def test_as_root_is_another_fact():
    assert CommandExits("x", root=True).needs() == (Need("root-command", ("x",)),)


def test_a_difference_beyond_what_is_shown_is_shown_too():
    seen = command(CommandPrints("x", text="x" * 250 + "end", exactly=True), output(0, "x" * 250 + "\tend\n"))
    assert seen.saw.endswith("; from character 251 on '\\tend', where 'end' is expected")
    shorter = command(CommandPrints("x", text="x" * 250, exactly=True), output(0, "x" * 249 + "\n"))
    assert shorter.saw.endswith("; from character 250 on '', where 'x' is expected")
