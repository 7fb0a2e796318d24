"""The stack's key on real containers: listed, shown, and another in its place on every host, whatever kills that."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.cli._client import ssh_command
from infratest.deadline import Deadline
from infratest.hosts import RUNNING
from infratest.lifecycle import login_key
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.providers import _key_rotation, _public_key, _ssh_keys
from infratest.stack import file
from infratest.stack.open import opened
from tests.lifecycle.killed import SIGKILLED, Scene

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(900)]

STACK = """\
stack: keys
provider: container
hosts:
  db: {memory: 128MiB, user: deploy}
  web: {memory: 128MiB}
environments:
  dev: {components: {jane: {type: keypair, public: jane.pub, to: {host: web}}}}
  other: {hosts: {db: null}}
"""
JANE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnk2rmQfWyYyRwTUvI7K0OqYGvEMGV6oLyWh1dnoxV6 jane@example"
#: The line that cloud-init writes for root where another user is to log in: its options stay with the new key.
CLOUDS = 'no-port-forwarding,command="echo other user" '


class Keys(Scene):
    """A stack with two environments, whose hosts share one key."""

    def of(self, env: str) -> Lifecycle:
        return Lifecycle(file.load(self.stack_file, env), self.state, deadline=Deadline(120))

    @property
    def folder_of_keys(self) -> Path:
        return self.state.path / "keys"

    def lets_in(self) -> list[str]:
        """Log in to each running host by the system's client, with the key in use; return which let us in."""
        found = []
        for env in ("dev", "other"):
            for host in self.of(env).hosts():
                if host.state == RUNNING:
                    words = ssh_command(host, ["true"], "-o", "BatchMode=yes", "-o", "ConnectTimeout=20")
                    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
                    assert done.returncode == 0, (env, host.name, done.stderr)
                    found.append(f"{env}/{host.name}")
        return found

    def lines(self, env: str, name: str, *more: str) -> list[str]:
        """Return the lines of a host's authorized_keys, and of other files."""
        (host,) = self.of(env).hosts([name])
        transport = opened(host, Deadline(30))
        try:
            words = ["sh", "-c", 'cat ~/.ssh/authorized_keys "$@"', "sh", *more]
            return transport.run(words, Deadline(30)).stdout.decode().splitlines()
        finally:
            transport.close()

    def on(self, env: str, name: str, script: str) -> None:
        (host,) = self.of(env).hosts([name])
        transport = opened(host, Deadline(30))
        try:
            result = transport.run(["sh", "-c", script], Deadline(30), sudo=host.options["user"] != "root")
        finally:
            transport.close()
        assert result.exit == 0, result.stderr


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    folder = tmp_path_factory.mktemp("keys")
    made = Keys(folder, owner=f"keys-{secrets.token_hex(8)}")
    made.stack_file.write_text(STACK)
    (folder / "jane.pub").write_text(JANE + "\n")
    try:
        made.command("up --env dev")
        made.command("up --env other")
        yield made
    finally:
        for env in ("dev", "other"):
            destroy(made.of(env))


ALL = ["dev/db", "dev/web", "other/web"]


def public(scene: Keys) -> str:
    return _ssh_keys.user_key(scene.folder_of_keys)[1].split()[1]


def printed(scene: Keys, verb: str) -> str:
    words = scene._words(verb)
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_keys_are_listed_and_the_public_half_is_shown(scene: Keys) -> None:
    key = scene.folder_of_keys / "id_ed25519"
    own, jane = json.loads(printed(scene, "keypair --env dev --format json"))
    told = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True, check=True).stdout.split()
    assert (own["fingerprint"], own["file"]) == (told[1], str(key))
    assert own["hosts"] == ["db", "web", "other/web"]
    assert own["made"] == key.stat().st_mtime
    assert (jane["name"], jane["comment"], jane["hosts"]) == ("jane", "jane@example", ["web"])
    text = printed(scene, "keypair list --env dev")
    assert "hosts: db, web, other/web" in text
    shown = printed(scene, "keypair show --env dev")
    assert shown == f"ssh-ed25519 {public(scene)} infratest\n"
    assert "PRIVATE" not in text + shown + json.dumps([own, jane])


def test_another_key_is_on_every_host_of_every_environment_and_the_former_nowhere(scene: Keys) -> None:
    former = public(scene)
    scene.on("dev", "db", f"mkdir -p /root/.ssh && echo '{CLOUDS}ssh-ed25519 {former} x' >/root/.ssh/authorized_keys")
    scene.on("dev", "db", "useradd -m debian && install -d -o debian -m 700 /home/debian/.ssh && "
             f"install -o debian -m 600 /dev/null /home/debian/.ssh/authorized_keys && "
             f"echo 'ssh-ed25519 {former} y' >/home/debian/.ssh/authorized_keys")  # fmt: skip
    err = scene.command("keypair rotate --env dev")
    new = public(scene)
    assert new != former
    assert f"{_public_key.fingerprint(f'x {former}')} no longer: dev/db, dev/web, other/web" in err
    assert scene.lets_in() == ALL
    assert scene.lines("dev", "web", "/etc/infratest/authorized_keys") == [
        f"ssh-ed25519 {new} infratest", "# keys of this stack, by infratest", JANE, "# end of the keys of this stack",
        f"ssh-ed25519 {new} infratest",
    ]  # fmt: skip
    assert scene.lines("dev", "db") == [f"ssh-ed25519 {new} infratest"]
    scene.on("dev", "db", f"grep -qxF '{CLOUDS}ssh-ed25519 {new} x' /root/.ssh/authorized_keys")
    scene.on("dev", "db", f"grep -qxF 'ssh-ed25519 {new} y' /home/debian/.ssh/authorized_keys")
    scene.on("dev", "db", "[ $(stat -c %U%a /home/debian/.ssh/authorized_keys) = debian600 ]")
    scene.on("dev", "db", "[ $(stat -c %U%a /home/deploy/.ssh/authorized_keys) = deploy600 ]")
    assert sorted(one.name for one in scene.folder_of_keys.iterdir()) == [".lock", "id_ed25519", "id_ed25519.pub"]
    scene.command("reboot --env dev --host web")  # a container is given its keys anew at each start
    assert scene.lets_in() == ALL


def test_a_halted_host_is_given_the_new_key_when_it_is_up_again(scene: Keys) -> None:
    former = public(scene)
    scene.command("halt --env dev --host db")
    assert "given the new key by the next `infratest up` of them: dev/db" in scene.command("keypair rotate --env other")
    scene.command("keypair rotate --env dev")  # twice: what knows the first one only is let in to all the same
    assert "a former one: ssh-ed25519" in printed(scene, "keypair --env dev")
    assert "knew a former key of the stack" in scene.command("up --env dev")
    assert scene.lets_in() == ALL
    assert (
        scene.lines("dev", "db", "/home/deploy/.ssh/authorized_keys") == [f"ssh-ed25519 {public(scene)} infratest"] * 2
    )
    assert former != public(scene)
    scene.command("keypair rotate --env dev")
    assert _key_rotation.formers(scene.folder_of_keys) == []


def test_a_host_that_cannot_be_reached_leaves_the_former_key_in_use(scene: Keys) -> None:
    former = public(scene)
    scene.command("suspend --env dev --host db")
    status, words = scene.run("keypair rotate --env dev", "SIGKILL", "-")
    assert status == 1
    assert "dev/db is paused: let it go on, or halt it" in words
    assert not _key_rotation.is_begun(scene.folder_of_keys)
    scene.command("resume --env dev")
    scene.on("dev", "db", "chattr +i /home/deploy/.ssh/authorized_keys 2>/dev/null || mount --bind -o ro "
             "/home/deploy/.ssh /home/deploy/.ssh && mount -o remount,ro,bind /home/deploy/.ssh")  # fmt: skip
    status, words = scene.run("keypair rotate --env dev", "SIGKILL", "-")
    assert status == 1
    assert "dev/db: db: its authorized_keys could not be changed" in words
    assert "the former key is in use still; run it again" in words
    assert public(scene) == former
    assert scene.lets_in() == ALL
    scene.on("dev", "db", "chattr -i /home/deploy/.ssh/authorized_keys 2>/dev/null; umount /home/deploy/.ssh || true")
    scene.command("keypair rotate --env dev")
    assert public(scene) != former
    assert scene.lets_in() == ALL


#: Where a rotation is killed: at each step, and after the last of its kind.
STEPS = (
    "before next_key #1", "before let_in web #1", "before prove web #1", "before prove db #1", "before switch #1",
    "before _copy id_ed25519.former #1", "before _take id_ed25519 #1", "after _take id_ed25519 #1", "after switch #1",
    "before take_away db #1", "after take_away web #1", "before end #1", "after end #1",
)  # fmt: skip


#: One of three, and each in the long run.
SOME = [
    step if number % 3 == 1 else pytest.param(step, marks=pytest.mark.machines) for number, step in enumerate(STEPS)
]


@pytest.mark.parametrize("step", SOME)
def test_killed_at_any_step_every_host_is_let_in_to_and_the_next_call_goes_on(scene: Keys, step: str) -> None:
    before = public(scene)
    status, words = scene.run("keypair rotate --env dev", "SIGKILL", step)
    assert status == SIGKILLED, (step, words)
    assert scene.lets_in() == ALL
    begun, is_open = _key_rotation.is_begun(scene.folder_of_keys), _key_rotation.is_open(scene.folder_of_keys)
    following = _ssh_keys.public_half(scene.folder_of_keys / "id_ed25519.next").split()[1:2] if begun else []
    in_use = public(scene)
    scene.command("keypair rotate --env dev")
    after = public(scene)
    assert scene.lets_in() == ALL
    assert after != before
    if begun:
        assert [after] == following  # the same one is gone on with
    if is_open:
        assert after == in_use
    for env, name in (("dev", "web"), ("other", "web"), ("dev", "db")):
        ours = [line.split()[1] for line in scene.lines(env, name) if line.endswith("infratest") and line[0] != "#"]
        assert ours == [after], (env, name)
    assert "nothing to reap" in scene.reap_by_command()


def test_what_comes_back_with_the_former_key_alone_follows(scene: Keys) -> None:
    """As from a snapshot: a host that refuses the key in use and lets in the one before."""
    (host,) = scene.of("other").hosts(["web"])
    former = scene.folder_of_keys / "id_ed25519.former-20200101T000000.000000Z"
    assert not login_key.follow(host, Deadline(30))
    _ssh_keys.user_key(scene.folder_of_keys, former.name)
    older = _ssh_keys.public_half(former)
    scene.on("other", "web", f"echo '{older}' >~/.ssh/authorized_keys")
    words = [*scene._words("run"), "--env", "other", "web", "true"]
    refused = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 255
    again = "If it came back as it was before `keypair rotate`, `infratest up` gives it the present key"
    assert again in refused.stderr
    assert login_key.follow(host, Deadline(30))
    assert [line.split()[1] for line in scene.lines("other", "web")] == [public(scene)]
    # As after a kill between the two: it lets both in, and nobody is refused.
    scene.on("other", "web", f"echo '{older}' >>~/.ssh/authorized_keys")
    scene.command("up --env other")
    assert [line.split()[1] for line in scene.lines("other", "web")] == [public(scene)]
    _key_rotation.forget(former)
    _key_rotation.forget(former.with_name(f"{former.name}.pub"))
