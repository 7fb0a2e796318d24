"""What a drill's certificate binds: what acts, with its values, as before the drill; and what takes it back."""

from __future__ import annotations

import shutil
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from infratest.errors import UserError
from infratest.heal import signing
from infratest.heal.signing import Key
from infratest.model import Result
from infratest.project import proof
from infratest.project.drill import Outcome
from infratest.project.session import Session
from infratest.stack.declared import HealRule
from infratest.stack.kept_parameters import keep

STACK = """\
stack: shop
provider: local
hosts: {{web: {{groups: [web], provision: [{{shell: web.sh}}]}}}}
parameters:
  fix: {{type: string, default: systemctl restart nginx}}
  level: {{type: string, default: low}}
  token: {{type: string, secret: true, default: a-token-of-dev}}
environments:
  dev: {{}}
  prod: {prod}
heal:
  trusted-keys: {{alice: "{key}"}}
  mend:
    when: {{tags: "@web"}}
    do: [{do}]
    mode: auto
    proof: {{drill: lost, from: dev}}
"""
FEATURE = '@web\nFeature: The shop\n  Scenario: it is there\n    Then the file "/etc/passwd" exists\n'


class Project:
    """A project with a rule that has a proof, and a key."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.folder, self.key = folder, key
        for name in ("features", "hooks"):
            (folder / name).mkdir(parents=True)
        (folder / "features" / "shop.feature").write_text(FEATURE)
        (folder / "web.sh").write_text("true\n")
        (folder / "hooks" / "fix.sh").write_text("#!/bin/sh\n")
        self.write()

    def write(self, do: str = '{run: "{param.fix}"}', prod: str = "{}") -> None:
        (self.folder / "stack.yaml").write_text(STACK.format(key=self.key.public, do=do, prod=prod))

    def session(self, env: str = "prod", **more: Any) -> Session:
        return Session(stack_path=self.folder / "stack.yaml", env=env, **more)

    def standing(self, session: Session) -> proof.Standing:
        return proof.standing(session, session.stack.heal[0], session.stack.env)

    def certify(self, session: Session | None = None, begun: proof.Standing | None = None) -> Path:
        session = session or self.session("dev")
        begun = begun or self.standing(session)
        return proof.certify(session, "lost", [outcome()], self.key, time.time(), begun)

    def proven(self, env: str = "prod", **more: Any) -> tuple[bool, str]:
        session = self.session(env, **more)
        return proof.proven(session, session.stack.heal[0])


def outcome(state: str = "ok") -> Outcome:
    result = Result("features/drill.feature#lost@-", "features/drill.feature", "lost", 3, "-", state)
    return Outcome(result=result, rule="mend", red=1.0, green=2.0, watched=("features/shop.feature",))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return signing.make(tmp_path_factory.mktemp("keys") / "heal.key")


@pytest.fixture
def project(tmp_path: Path, key: Key) -> Project:
    return Project(tmp_path / "shop", key)


def test_a_rule_is_proven_in_another_environment_whose_values_in_it_are_the_same(project: Project) -> None:
    project.certify()
    assert project.proven() == (True, "proven on dev by drill lost")
    project.write(prod="{parameters: {level: {default: high}, token: {default: a-token-of-prod}}}")
    assert project.proven() == (True, "proven on dev by drill lost")


def test_another_value_in_the_rule_is_another_rule(project: Project) -> None:
    project.certify()
    words = "the rule, a value in it, or what its remedies are given is another here, in the environment 'prod', than"
    holds, why = project.proven(parameters={"fix": "rm -rf /srv/shop"})
    assert (holds, words in why) == (False, True)
    assert not project.proven("dev", parameters={"fix": "rm -rf /srv/shop"})[0]
    project.write(prod="{parameters: {fix: {default: rm -rf /srv/shop}}}")
    holds, why = project.proven()
    assert (holds, words in why) == (False, True)
    assert project.proven("dev")[0]


#: What of a rule no certificate binds, and why it need not.
FREE = {
    "name": "the certificate names the rule itself",
    "tries": "how often it may act is no part of what it does",
    "per": "as `tries`",
    "group": "as `tries`",
    "together": "on how many hosts at once it may act is no part of what it does to one",
    "at_most": "how many others may be sick is no part of what it does to one",
    "keep": "as `at_most`",
    "mode": "how far it may go by itself is what the certificate is asked for",
    "proof": "it says which certificate that is, and for how long",
    "approvals": "what a person must have seen before they grant it",
    "calm": "as `approvals`",
    "approvers": "who must agree",
    "freeze": "when it asks first",
    "where": "a line of the stack file, for messages",
}


def test_each_part_of_a_rule_is_bound_or_is_free_for_a_reason() -> None:
    there = {one.name for one in fields(HealRule)}
    assert (there - FREE.keys() - set(proof.OF_RULE), FREE.keys() & set(proof.OF_RULE)) == (set(), set())
    assert set(proof.OF_RULE) <= there


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('tags: "@web"}', 'tags: "@web", reason: not listening}'),
        ("do: [", "confirm: {failures: 2, of: 3}\n    do: ["),
        ("unit: nginx", "unit: nginx, settle: 5min"),
    ],
)
def test_what_a_rule_is_for_what_confirms_it_and_how_long_a_rung_has_is_bound(
    project: Project, was: str, now: str
) -> None:
    project.write("{restart-service: {unit: nginx}}")
    project.certify()
    stack = project.folder / "stack.yaml"
    assert was in stack.read_text()
    stack.write_text(stack.read_text().replace(was, now))
    holds, why = project.proven("dev")
    assert (holds, "since then was changed: the rule, a value in it" in why) == (False, True), why


def test_a_value_that_was_given_to_up_is_one_that_acts(project: Project) -> None:
    project.certify()
    keep(project.session().state, "shop/prod", {"fix": "rm -rf /srv/shop"})
    assert not project.proven()[0]


def test_no_digest_of_a_secret_is_in_a_certificate(project: Project) -> None:
    project.write(do='{run: "fix --token {param.token}"}')
    project.certify()
    project.write(do='{run: "fix --token {param.token}"}', prod="{parameters: {token: {default: a-token-of-prod}}}")
    assert project.proven()[0]


@pytest.mark.parametrize("do, holds", [("{provision: {}}", False), ("{restart-service: nginx}", True)])
def test_what_a_rung_provisions_by_here_was_drilled(project: Project, do: str, holds: bool) -> None:
    other = "{hosts: {web: {provision: [{shell: other.sh}]}}}"
    (project.folder / "other.sh").write_text("true\n")
    project.write(do, prod=other)
    project.certify()
    assert project.proven("dev")[0]
    now, why = project.proven()
    assert now is holds
    assert holds or "a rung provisions, and web by other than was drilled" in why


def test_a_hooks_program_is_bound_and_a_folder_beside_it(project: Project) -> None:
    (project.folder / "parts").mkdir()
    part = project.folder / "parts" / "one.txt"
    part.write_text("one\n")
    project.write(f"{{hook: [hooks/fix.sh, parts, ., {'x' * 300}]}}")
    project.certify()
    assert project.proven()[0]
    for file in (part, project.folder / "hooks" / "fix.sh"):
        before = file.read_text()
        file.write_text(before + "other\n")
        assert not project.proven("dev")[0]
        file.write_text(before)
    assert project.proven("dev")[0]


def test_a_program_below_the_home_of_who_heals_is_bound_by_its_content(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose home that is, is another thing; and beside the stack file `~` is a name as any other."""
    for home, text in (("one", "#!/bin/sh\n"), ("same", "#!/bin/sh\n"), ("other", "#!/bin/sh\nreboot\n")):
        (tmp_path / home).mkdir()
        (tmp_path / home / "fix.sh").write_text(text)
    (project.folder / "~").mkdir()
    project.write("{hook: [~/fix.sh, '~']}")
    monkeypatch.setenv("HOME", str(tmp_path / "one"))
    project.certify()
    for home, holds in (("same", True), ("other", False), ("none", False), ("one", True)):
        monkeypatch.setenv("HOME", str(tmp_path / home))
        assert project.proven("dev")[0] is holds, home
    (project.folder / "~" / "fix.sh").write_text("of the project\n")
    assert not project.proven("dev")[0]


@pytest.mark.parametrize("text", ["~" + "x" * 300, "~/" + "x/" * 3000])
def test_a_text_of_a_rule_that_no_path_can_be_is_no_program_of_the_home(project: Project, text: str) -> None:
    project.write(f"{{hook: [echo, '{text}']}}")
    project.certify()
    assert project.proven("dev")[0]


def test_it_holds_in_another_checkout(project: Project, tmp_path: Path) -> None:
    project.certify()
    shutil.copytree(project.folder, tmp_path / "elsewhere")
    project.folder = tmp_path / "elsewhere"
    assert project.proven() == (True, "proven on dev by drill lost")


def test_what_hosts_of_an_inventory_are_provisioned_by_is_bound(project: Project) -> None:
    stack = project.folder / "stack.yaml"
    project.write()
    stack.write_text(stack.read_text().replace("hosts: {web", "defaults: {provision: [{shell: web.sh}]}\nhosts: {web"))
    assert "provision (defaults)" in project.standing(project.session("dev")).details


@pytest.mark.parametrize("changed", ["features/shop.feature", "web.sh", "hooks/fix.sh", "stack.yaml"])
def test_what_was_changed_while_it_was_drilled_is_not_certified(project: Project, changed: str) -> None:
    project.write("{hook: hooks/fix.sh}")
    session = project.session("dev")
    begun = project.standing(session)
    file = project.folder / changed
    file.write_text(file.read_text().replace("hooks/fix.sh", "[reboot, -f]") + "\n# another\n")
    with pytest.raises(UserError, match=r"not certified: changed while it was drilled: .*; drill again"):
        project.certify(session, begun)
    assert not (project.folder / "drills").exists()


def test_a_feature_that_the_drill_does_not_speak_of_may_change_in_the_meantime(project: Project) -> None:
    other = project.folder / "features" / "other.feature"
    other.write_text(FEATURE)
    session = project.session("dev")
    begun = project.standing(session)
    other.write_text(FEATURE + "\n")
    project.certify(session, begun)
    assert project.proven()[0]


def test_values_that_stand_in_no_file_are_not_certified(project: Project) -> None:
    proof.certifiable(project.session("dev"))
    words = "stands in no file, .* write it there as `default:`, or under `environments: dev:`"
    with pytest.raises(UserError, match=f"--certify: the value of -D level {words}"):
        proof.certifiable(project.session("dev", parameters={"level": "high"}))
    proof.certifiable(project.session("dev", parameters={"token": "another-token"}))  # which none binds
    state = project.session("dev").state
    keep(state, "shop/dev", {"level": "low"})
    proof.certifiable(project.session("dev"))
    keep(state, "shop/dev", {"level": "high"})
    with pytest.raises(UserError, match=f"-D level, which an earlier `up` or `provision` was given, {words}"):
        proof.certifiable(project.session("dev"))


def test_a_look_at_some_hosts_alone_is_not_certified(project: Project) -> None:
    project.write()
    stack = project.folder / "stack.yaml"
    stack.write_text(
        stack.read_text().replace("provider: local", "provider: simulator").replace("web.sh}]}", "web.sh}]}, db: {}")
    )
    for host in (("web",), ("web*",)):
        with pytest.raises(UserError, match=r"--certify: --host web.* leaves out db"):
            proof.certifiable(project.session("dev", host=host))
    proof.certifiable(project.session("dev", host=("web", "db")))


def test_a_drill_that_fails_takes_back_what_an_earlier_one_has_proven(project: Project) -> None:
    path = project.certify()
    assert proof.withdraw(project.session("prod"), "lost", "mend") == path
    assert not path.exists()
    assert "drills/lost.json: No such file" in project.proven()[1]
    assert proof.withdraw(project.session("prod"), "lost", "mend") is None


def test_a_certificate_on_which_this_environment_does_not_rest_stays(project: Project) -> None:
    session = project.session("prod")
    path = project.certify(replace(session, _stack=None), project.standing(session))
    assert proof.withdraw(project.session("dev"), "lost", "mend") is None
    path.write_bytes(path.read_bytes().replace(b'"runs":1', b'"runs":2'))
    assert proof.withdraw(project.session("prod"), "lost", "mend") is None  # nobody signed that
    assert path.exists()
