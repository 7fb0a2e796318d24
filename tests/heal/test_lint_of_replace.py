"""`heal lint` names a rung that needs hosts out of service where the provider can never say so; it asks nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.project.rule_lint import lint_rules
from infratest.project.session import Session

STACK = """\
stack: shop
provider: {provider}
hosts: {{web: {{}}}}
features: []
heal: {{mend: {{when: {{tags: "@web"}}, do: [{{provision: {{}}}}, {{replace: {{keep-old: 2h}}}}]}}}}
"""
CANNOT = "cannot stop a host and keep it beside another one of its name"


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        ("container", ""),
        ("simulator", ""),
        ("{name: cloud, driver: ec2}", ""),
        ("{name: cloud, driver: cloudstack}", "provider cloud: driver cloudstack cannot change a server's labels"),
        ("local", f"provider local {CANNOT}"),
        ("virtualbox", f"provider virtualbox {CANNOT}"),
    ],
)
def test_what_a_provider_can_is_known_without_asking_it(tmp_path: Path, provider: str, why: str) -> None:
    (tmp_path / "stack.yaml").write_text(STACK.format(provider=provider))
    _, problems = lint_rules(Session(stack_path=tmp_path / "stack.yaml"))
    found = [one for one in problems if "replace" in one]
    if not why:
        assert found == []
        return
    (words,) = found
    assert words.endswith(
        f"rule mend: do[1]: replace: {why}: take power-cycle, or a hook that fences it, or replace it by hand"
    )
