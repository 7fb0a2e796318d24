"""Provisioning on hosts that are this machine (the fake transport runs what is not scripted): order, data, failures."""

from __future__ import annotations

from pathlib import Path

import pytest
from click import Context

from infratest.cleaning import Secret
from infratest.cli.check_infratest import command as check_infratest
from infratest.cli.main import infratest_command
from infratest.errors import NotInThisVersion, ProviderError, UserError
from infratest.hosts import Host
from infratest.lifecycle import provisioned
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.provision import environment_of, provision
from infratest.lifecycle.up import up
from infratest.providers.base import HostSpec
from infratest.provisioners.base import provisioners
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir

AS_ROOT = {"otherwise": "run", "answers": {"id -u": {"stdout": "0\n"}}}


@pytest.fixture
def life(tmp_path):
    def made(specs, scripts=None, is_up=True, parameters=None, transport=None) -> Lifecycle:
        for name, text in (scripts or {}).items():
            (tmp_path / name).write_text(text)
        stack = StackFile(
            name="shop",
            path=tmp_path / "stack.yaml",
            folder=tmp_path,
            env="dev",
            provider="fake",
            provider_options={"transport": transport or AS_ROOT},
            parameters=parameters or {},
            hosts=specs,
        )
        found = Lifecycle(stack, StateDir(tmp_path / "state"))
        if is_up:
            up(found)
        return found

    return made


def host(name, *items, after=(), groups=()) -> HostSpec:
    return HostSpec(name=name, provision=items, after=after, groups=groups, where="stack.yaml:3")


def log(tmp_path: Path, name: str) -> str:
    return (tmp_path / "state" / "logs" / "shop@dev" / f"provision-{name}.log").read_text()


def test_a_script_knows_the_stack_and_its_parameters_as_they_are(life, tmp_path):
    specs = (host("db", groups=("data",)), host("web-1", {"shell": "p.sh"}, after=("db",), groups=("web", "edge")))
    nasty = "a 'b' \"c\" $(touch /tmp/never) `x` \\ é\nline 2"
    names = "STACK_NAME ENV_NAME HOST_NAME ADDRESS ADDRESS_DB ADDRESS_WEB_1 HOSTS PARAM_GREETING PARAM_ON"
    script = f'for v in {names}; do echo "[$(printenv INFRATEST_$v)]"; done'
    provision(life(specs, {"p.sh": script}, parameters={"greeting": nasty, "on": True}))
    words = log(tmp_path, "web-1").replace("\n", "|")
    assert "[shop]|[dev]|[web-1]|[web-1]|[db]|[web-1]|[db db data|web-1 web-1 web,edge]|" in words
    assert f"[{nasty}]".replace("\n", "|") in words
    assert "|[true]|" in words


def test_what_a_script_is_told_is_no_option_of_what_it_calls():
    """Where it runs `check_infratest --host local`, INFRATEST_STACK=shop was a stack file that is not there."""
    context = Context(infratest_command)
    commands = [infratest_command.get_command(context, verb) for verb in infratest_command.list_commands(context)]
    options = {str(one.envvar) for each in (*commands, check_infratest) for one in (each.params if each else ())}
    assert {"INFRATEST_STACK", "INFRATEST_ENV", "INFRATEST_HOST"} <= options
    one = Host(name="web-1", address="192.0.2.1")
    stack = StackFile(name="shop", env="dev", path=Path(), folder=Path(), parameters={"stack": "x", "host": "y"})
    told = environment_of(stack, one, [one])
    assert told["INFRATEST_STACK_NAME"] == "shop"
    assert not options & {*told}


def test_hosts_are_provisioned_after_those_they_come_after(life, tmp_path):
    order = tmp_path / "order"
    script = f'echo "$INFRATEST_HOST_NAME" >>{order}'
    specs = tuple(host(name, {"shell": "p.sh"}, after=after) for name, after in (("web", ["db"]), ("db", [])))
    assert provision(life(specs, {"p.sh": script})) == ["web", "db"]
    assert order.read_text().split() == ["db", "web"]


def test_what_a_script_starts_cannot_read_the_rest_of_it(life, tmp_path):
    provision(life((host("db", {"shell": "p.sh"}),), {"p.sh": "cat\necho after\n"}))
    assert "after" in log(tmp_path, "db")


def test_the_first_line_chooses_the_interpreter(life, tmp_path):
    provision(life((host("db", {"shell": "p.py"}),), {"p.py": "#!/usr/bin/env python3\nprint(6 * 7)\n"}))
    assert "42" in log(tmp_path, "db")


def test_a_script_that_fails_shows_its_last_lines_and_stops_what_comes_after(life, tmp_path):
    specs = (host("db", {"shell": "bad.sh"}), host("web", {"shell": "good.sh"}, after=("db",)))
    scripts = {"bad.sh": "seq 1 40; echo no room >&2; exit 7", "good.sh": f"touch {tmp_path}/reached"}
    with pytest.raises(ProviderError) as caught:
        provision(life(specs, scripts))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"db: {tmp_path}/bad.sh ended with exit 7; its last lines:"
    assert lines[1:] == [f"  | {n}" for n in range(27, 41)] + ["  | no room"]
    assert not (tmp_path / "reached").exists()
    assert "\n3\n" in log(tmp_path, "db")


def test_a_file_is_put_once(life, tmp_path):
    target = tmp_path / "on host.conf"
    spec = host("db", {"file": {"from": "f.conf", "to": str(target), "mode": "0640"}})
    found = life((spec,), {"f.conf": "{param.x} stays\n"})
    provision(found)
    assert target.read_text() == "{param.x} stays\n"
    assert target.stat().st_mode & 0o777 == 0o640
    before = target.stat().st_ino
    provision(found)
    assert target.stat().st_ino == before
    assert "was there" in log(tmp_path, "db")
    target.chmod(0o600)
    provision(found)
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_put_says_why(life, tmp_path):
    spec = host("db", {"file": {"from": "f", "to": str(tmp_path / "f" / "under a file")}})
    with pytest.raises(ProviderError, match=r"db: could not write .*under a file: "):
        provision(life((spec,), {"f": "x"}))


@pytest.mark.parametrize("item", [{"shell": "none.sh"}, {"file": {"from": "none.sh", "to": "/x"}}])
def test_what_is_not_there_is_refused_before_any_host_is_touched(life, tmp_path, item):
    specs = (host("db", {"shell": "good.sh"}), host("web", item))
    with pytest.raises(UserError, match=r"stack.yaml:3: provision of web: .*none.sh: no such file"):
        provision(life(specs, {"good.sh": f"touch {tmp_path}/reached"}))
    assert not (tmp_path / "reached").exists()


def test_a_kind_that_is_not_built_yet(life):
    with pytest.raises(NotInThisVersion, match="ansible"):
        provision(life((host("db", {"ansible": "site.yml"}),)))


def test_hosts_must_be_up(life):
    with pytest.raises(ProviderError, match=r"not up: db \(not made\); run `infratest up` first"):
        provision(life((host("db", {"shell": "p.sh"}),), {"p.sh": "true"}, is_up=False))
    with pytest.raises(UserError, match="unknown host 'dbb'"):
        provision(life((host("db"),)), ["dbb"])


def test_each_line_of_a_scripts_output_is_told_once_and_a_secret_in_none(life, tmp_path):
    Secret("correct-horse-battery")
    found = life((host("db", {"shell": "p.sh"}),), {
        "p.sh": "echo '  indented'; printf 'a correct-horse'; printf '%s\n' '-battery b'\n"
        "head -c 300000 /dev/zero | tr '\\0' x; printf 'correct-horse-battery\nlast\n'\n"
    })  # fmt: skip
    told: list[str] = []
    found.progress = lambda name, phase, words: told.append(words) if phase == "output" else None
    provision(found)
    assert told[:2] == ["  indented", "a ******** b"]
    assert (len(told[2]), told[2][:3], told[3:]) == (4000, "xxx", ["last"])


def behind(life: Lifecycle) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = provisioned.behind(life.journal.records(), "shop", "dev", life.stack.hosts, life.stack.folder)
    return found.never, found.changed


def test_what_is_not_provisioned_since_it_was_made_or_since_its_script_changed_is_known(life, tmp_path):
    specs = (host("db"), host("web-1", {"shell": "p.sh"}), host("web-2", {"shell": "p.sh"}))
    mine = life(specs, {"p.sh": "echo one"})
    assert behind(mine) == (("web-1", "web-2"), ())
    provision(mine, ["web-1"])
    assert behind(mine) == (("web-2",), ())
    (tmp_path / "p.sh").write_text("echo two")
    assert behind(mine) == (("web-2",), ("web-1",))
    provision(mine)
    assert behind(mine) == ((), ())
    (tmp_path / "p.sh").write_text("exit 3")
    with pytest.raises(ProviderError):
        provision(mine)
    assert behind(mine) == ((), ("web-1", "web-2"))  # what failed is not what it was provisioned with


def test_a_host_made_anew_is_provisioned_by_nothing(life):
    specs = (host("web-1", {"shell": "p.sh"}),)
    mine = life(specs, {"p.sh": "echo one"})
    provision(mine)
    destroy(mine)
    up(mine)
    assert behind(mine) == (("web-1",), ())


def test_what_a_host_is_provisioned_with_is_the_same_wherever_the_project_is(tmp_path):
    """Moved, or named by another way; what is in the files, and how they are named there, is what counts."""
    work = [{"shell": "provision/p.sh"}, {"file": {"from": "../common/x", "to": "/etc/x"}}]
    for name in ("one", "two"):
        (tmp_path / name / "shop/provision").mkdir(parents=True)
        (tmp_path / name / "common").mkdir()
        (tmp_path / name / "shop/provision/p.sh").write_text("echo one")
        (tmp_path / name / "common/x").write_text("x")
    folders = ("one/shop", "two/shop", "two/common/../shop")
    found = [provisioned.digest(provisioners(work, tmp_path / folder, "")) for folder in folders]
    assert len(set(found)) == 1
    (tmp_path / "two/common/x").write_text("y")
    assert provisioned.digest(provisioners(work, tmp_path / "two/shop", "")) != found[0]
    work[0]["shell"] = f"{tmp_path}/one/shop/provision/p.sh"
    assert provisioned.digest(provisioners(work, tmp_path / "one/shop", "")) != found[0]


def test_what_is_told(tmp_path):
    both = provisioned.Behind(never=("web-1", "web-2"), changed=("db",))
    assert provisioned.lines(both, "infratest provision --env dev") == [
        "not provisioned since made: web-1, web-2; `infratest provision --env dev` does it",
        "provisioned before their provisioners changed: db; `infratest provision --env dev` again",
    ]
    assert provisioned.lines(provisioned.Behind(), "infratest provision") == []


def test_what_is_on_a_host_is_recorded_before_its_first_provisioning_alone(life, tmp_path):
    provisioned_life = life((host("db"), host("web", {"shell": "p.sh"})), {"p.sh": f"echo done >{tmp_path}/done"})
    seen = []

    def recorder(on, id, begun, deadline):
        seen.append((on.name, bool(id), begun, (tmp_path / "done").exists()))

    provisioned_life.recorder = recorder
    provision(provisioned_life)
    provision(provisioned_life)
    assert seen == [("web", True, 0.0, False)]


def test_a_host_that_began_anew_is_recorded_again_and_when_it_began_is_told(life):
    provisioned_life = life((host("web", {"shell": "p.sh"}),), {"p.sh": "true"})
    seen = []
    provisioned_life.recorder = lambda on, id, begun, deadline: seen.append((id, begun))
    provision(provisioned_life)
    ids = provisioned.live_ids(provisioned_life.journal.records(), "shop", "dev")
    before = provisioned_life.clock.time()
    provisioned_life.journal.provisioned(ids["web"], "web", "")  # as `rebuild` in place and a restored snapshot say
    provision(provisioned_life)
    assert [id for id, _ in seen] == [ids["web"]] * 2
    assert before - 1 <= seen[1][1] <= provisioned_life.clock.time()


def test_that_nothing_can_be_recorded_is_told_and_stops_no_provisioning(life, tmp_path):
    told = []
    provisioned_life = life((host("web", {"shell": "p.sh"}),), {"p.sh": f"echo done >{tmp_path}/done"})
    provisioned_life.progress = lambda *words: told.append(words)

    def recorder(on, id, begun, deadline):
        raise ProviderError("the disk of the state directory is full")

    provisioned_life.recorder = recorder
    provision(provisioned_life)
    assert (tmp_path / "done").exists()
    words = "what is on it before it is provisioned: the disk of the state directory is full"
    assert ("web", "not recorded", words) in told
