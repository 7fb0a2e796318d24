"""`infratest coverage` of a real host: provisioned, looked at in part, and then by the sentences that it told."""

from __future__ import annotations

import json
import os

import pytest

from tests.worlds import forked

STACK = """\
stack: covered
provider: container
hosts:
  web: {image: debian-12, provision: [{shell: p.sh}]}
"""
SCRIPT = r"""
set -e
useradd --create-home --shell /bin/sh deploy
mkdir -p /etc/shop /opt/shop
echo a=1 >/etc/shop/shop.conf
(umask 077; echo hunter2 >/etc/shop/key)
ln -s /etc/shop/shop.conf /opt/shop/current
sed -i 's/^#*PermitRootLogin.*/PermitRootLogin no/' /etc/ssh/sshd_config
unit=/etc/systemd/system/shop.service
printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >$unit
systemctl daemon-reload
systemctl enable --now shop
"""
FEATURE = """\
Feature: shop
  Scenario: who runs it
    Then the user "deploy" exists
    And the directory "/etc/shop" holds at least 1 files named "*.conf"
  @check
  Scenario: the group
    Then the group "deploy" exists
"""
LEFT = [
    'the file "/etc/shop/key" exists', 'the file "/etc/ssh/sshd_config" has the MD5 checksum "SUM"',
    'the file "/etc/systemd/system/shop.service" exists',
    'the link "/opt/shop/current" points to "/etc/shop/shop.conf"', 'the service "shop" is running',
    'the service "shop" is enabled',
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder whose stack is up and provisioned, and what runs the command in it."""
    folder = tmp_path_factory.mktemp("covered")
    (folder / "stack.yaml").write_text(STACK)
    (folder / "p.sh").write_text(SCRIPT)
    (folder / "features").mkdir()
    (folder / "features" / "shop.feature").write_text(FEATURE)

    def run(*words: str, status: int = 0) -> tuple[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "INFRATEST_STATE"}
        done = forked.run(words, cwd=folder, env=kept, timeout=300)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    run.folder = folder
    try:
        run("up")
        yield run
    finally:
        run("destroy")


def test_a_host_that_was_never_provisioned_has_nothing_to_compare_with(place):
    out, err = place("coverage", status=3)
    assert err == "0 changes: none that no sentence looks at; not all is known of web\n"
    assert out.startswith("web: not known: nothing was kept of it before it was provisioned")
    place("provision")


def test_what_provisioning_changed_and_nothing_looks_at_is_told_with_its_sentence(place):
    out, err = place("coverage", status=1)
    told = [line.strip() for line in out.splitlines() if line.startswith("    ")]
    sums = [words.rpartition(' "')[2].strip('"') for words in told if "checksum" in words]
    assert told == [words.replace("SUM", sums[0]) for words in LEFT]
    assert "files: 1 of 5 looked at, 20 %" in out
    assert "users: 1 of 1 looked at, 100 %" in out
    assert err.endswith("(files 20 %, units 0 %, users 100 %, groups 100 %)\n")


def test_what_is_kept_of_the_host_has_no_secret_and_is_its_users_alone(place):
    kept = place.folder / ".infratest" / "facts" / "covered" / "before-web.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "ssh_host" not in kept.read_text()
    files = json.loads(kept.read_text())["kinds"]["files"]
    assert set(files["/etc/shadow"]) == {"kind", "mode", "owner", "group"}


def test_the_sentences_hold_and_with_them_nothing_is_left(place):
    out, _ = place("coverage", "--format", "json", status=1)
    kinds = json.loads(out)["hosts"]["web"]["kinds"]
    sentences = [words for kind in kinds.values() for one in kind["left"] for words in one["sentences"]]
    assert len(sentences) == len(LEFT)
    steps = "".join(f"    Then {words}\n" for words in sentences)
    (place.folder / "features" / "rest.feature").write_text(f"Feature: rest\n  Scenario: the rest\n{steps}")
    place("check")
    out, err = place("coverage")
    assert "looked at, 100 %" in out
    assert "none that no sentence looks at" in err
    (place.folder / "features" / "rest.feature").unlink()


def test_a_kind_alone_and_what_is_none(place):
    out, _ = place("coverage", "--only", "users,ports")
    assert "files" not in out
    _, err = place("coverage", "--only", "user", status=3)
    assert "did you mean 'users'" in err


def test_provisioning_again_keeps_what_was_before_the_first(place):
    before = (place.folder / ".infratest" / "facts" / "covered" / "before-web.json").read_text()
    (place.folder / "p.sh").write_text("echo more >/etc/shop/more.txt\n")
    place("provision")
    assert (place.folder / ".infratest" / "facts" / "covered" / "before-web.json").read_text() == before
    out, _ = place("coverage", "--only", "files", status=1)
    assert '    the file "/etc/shop/more.txt" exists\n' in out
    assert '    the file "/etc/shop/key" exists\n' in out


BY_HAND = r"""
usermod -aG deploy www-data
passwd -d deploy
chmod 0777 /etc/cron.d
chmod 0666 /etc/shadow
echo '* * * * * root id' >'/etc/cron.d/a\b'
mkfifo /srv/pipe
ln -sfn /etc/passwd /opt/shop/current
"""
BY_HAND_TOLD = [
    'the directory "/etc/cron.d" has mode "0777"', r'the file "/etc/cron.d/a\b" exists',
    'the file "/etc/shadow" has mode "0666"', 'the link "/opt/shop/current" points to "/etc/passwd"',
    'the file "/srv/pipe" exists', 'the user "deploy" has an empty password',
    'the group "deploy" has exactly the members "www-data"',
]  # fmt: skip


def test_what_was_changed_by_hand_since_a_run_is_told(place):
    (place.folder / "p.sh").write_text("set -e\n: >'/etc/be\\fore'\n: >'/srv/two\nlines'\n")
    place("provision")
    place("test", "--record", "good.json")
    (place.folder / "p.sh").write_text(f"set -e\n{BY_HAND}")
    place("provision")
    out, err = place("drift", "--since", "good.json", status=3)
    told = [line.strip().removeprefix("now: ") for line in out.splitlines() if line.startswith("        now: ")]
    assert told == BY_HAND_TOLD
    # A name with a line end was there before and after: it is not known, and hides nothing.
    assert "files: not known: then: /srv: a name with a line end" in out
    assert err.endswith("not all is known of web\n")
