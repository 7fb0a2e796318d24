"""ssh_config is what `ssh -G` says: asked, and read here where OpenSSH's client is not installed; equal or refused."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from time import monotonic, time_ns

import pytest

from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, TransportError
from infratest.hosts import Host
from infratest.transports.ssh import config as ssh_config
from infratest.transports.ssh.config import Destination, look_up
from infratest.transports.ssh.route import Hop, Options, route
from tests.worlds.ssh_config_corpus import ALIASES, answer_of_ssh, configurations, whole_paths
from tests.worlds.sshd import wait_until

LONG = 20.0
SEED = 7
HOME = pwd.getpwuid(os.getuid()).pw_dir
ONE_LINE = ("hostname", "port", "user", "hostkeyalias", "proxyjump", "proxycommand", "identitiesonly", "identityagent",
            "addressfamily", "bindaddress", "revokedhostkeys")  # fmt: skip
#: What `ssh -G` prints and our own reading leaves out, because it is the default.
DEFAULTS = {
    "identitiesonly": ["no"], "addressfamily": ["any"], "identityagent": ["SSH_AUTH_SOCK"], "revokedhostkeys": ["none"],
}  # fmt: skip


@pytest.fixture(params=["asked", "read here"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Both ways to know what ssh_config says: by OpenSSH's client, and without one in PATH."""
    if request.param == "read here":
        monkeypatch.setenv("PATH", str(tmp_path / "no-ssh"))
    return str(request.param)


def hop_of(folder: Path, text: str, alias: str = "web-1", **options: object) -> Hop:
    path = folder / "ssh_config"
    path.write_text(text.replace("{here}", str(folder)))
    return route(Host(name=alias), Options(config=str(path), **options))[-1]


# The corpus


def differences(config: Path, alias: str, ours: dict[str, list[str]], theirs: dict[str, list[str]]) -> list[str]:
    """Return in words what we say otherwise than ssh."""
    expected = {keyword: theirs.get(keyword) or DEFAULTS.get(keyword) or [] for keyword in ONE_LINE}
    for keyword in ("identityagent", "proxyjump"):
        if keyword in theirs:
            expected[keyword] = whole_paths(theirs, alias, keyword)
    wrong = []
    for keyword, values in expected.items():
        said = ours.get(keyword) or DEFAULTS.get(keyword) or []
        if [value.lower() for value in said] != [value.lower() for value in values]:
            wrong.append(f"{keyword} {said}, ssh says {values}")
    keys = whole_paths(theirs, alias, "identityfile")
    defaults = {f"{HOME}/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ed25519")}
    if ours.get("identityfile", []) != keys and not ("identityfile" not in ours and defaults < set(keys)):
        wrong.append(f"identityfile {ours.get('identityfile')}, ssh says {keys}")
    for keyword in ("userknownhostsfile", "globalknownhostsfile"):
        if " ".join(ours[keyword]) != theirs[keyword][0]:
            wrong.append(f"{keyword} {ours[keyword]}, ssh says {theirs[keyword]}")
    return [f"{config.name} for {alias}: {words}" for words in wrong]


def test_two_hundred_configurations_as_ssh_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked: what `ssh -G` says, or refused where it refuses. Read here: the same, or refused."""
    monkeypatch.setenv("AGENT", "/run/agent")
    wrong, counts = [], {"refused by ssh": 0, "equal": 0, "asked refused": 0, "read equal": 0, "read refused": 0}
    path = os.environ["PATH"]
    for at, config in enumerate(configurations(tmp_path, SEED, 200)):
        for alias in (ALIASES[at % 4], ALIASES[(at + 1) % 4]):
            theirs = answer_of_ssh(config, alias)
            for way, folder in (("asked", path), ("read", str(tmp_path / "no-ssh"))):
                monkeypatch.setenv("PATH", folder)
                try:
                    ours = look_up(Destination(alias, config=str(config)), "", Deadline(LONG))
                except TransportError as error:
                    counts["refused by ssh" if theirs is None else f"{way} refused"] += 1
                    wrong += [] if "ssh_config" in str(error) else [f"{config.name}: refused without its name: {error}"]
                    continue
                finally:
                    monkeypatch.setenv("PATH", path)
                if theirs is None:
                    wrong.append(f"{config.name} for {alias}: ssh refuses it, {way} {ours}")
                    continue
                wrong += [f"{way}: {words}" for words in differences(config, alias, dict(ours), theirs)]
                counts["equal" if way == "asked" else "read equal"] += 1
    assert not wrong, "\n".join(wrong)
    # Of 400 answers the most are compared, and not by refusing all.
    assert counts["equal"] >= 150, counts
    assert counts["read equal"] >= 0.6 * counts["equal"], counts
    assert counts["asked refused"] <= 20, counts


# What was once read wrongly, with the right value by hand; asked and read here

NASTY = [
    ("Match Host other\n  HostName 10.9.9.9\nHost web-1\n  HostName 10.0.0.1\n", "address", "10.0.0.1"),
    ("MATCH hOsT other\n  User wrong\nMatch host web-1\n  User right\n", "user", "right"),
    ("HostName 10.0.0.1 # x\n", "address", "10.0.0.1"),
    ("User ops # not root\n", "user", "ops"),
    ("Port=2222 # usual\n", "port", 2222),
    ('Include "{here}/a b/c"\nPort 22\n', "port", 2201),
    ("Include {here}/a*b/?\nPort 22\n", "port", 2201),
    ("Host other\n  Include {here}/everyone\nHost *\n  Port 2299\n", "port", 2299),
    ("Host web-1\n  Include {here}/everyone\nPort 2299\n", "port", 2203),
    ("Host web-1\n  Include {here}/only-others\n  Port 2299\n", "port", 2299),
    ("Host *\n  Include {here}/no-such\n  Port 2299\n", "port", 2299),
    ("Host !web-1 *\n  Port 1\nHost web-1\n  Port 2299\n", "port", 2299),
    ("Host web-[0-9]\n  Port 1\nHost web-?\n  Port 2299\n", "port", 2299),
    ("Match !host web-1\n  Port 1\nMatch all\n  Port 2299\n", "port", 2299),
    ("Match host *.inner\n  Port 1\nHost web-1\n  HostName %h.inner\nMatch host *.inner\n  Port 2299\n", "port", 2299),
    ("Host web-1\n  HostName %h.Inner\n", "address", "web-1.inner"),
    ("HostName 10.2\n", "address", "10.0.0.2"),
    ('User "two words"\n', "user", "two words"),
    ("User one\x0bline\n", "user", "one\x0bline"),
    ("User ops\r\nPort 2222\r\n", "user", "ops"),
    ('UserKnownHostsFile "/a b/kh"\nGlobalKnownHostsFile none\n', "known_hosts", ("/a b/kh",)),
    ("UserKnownHostsFile '/a b/kh' /c\nGlobalKnownHostsFile none\n", "known_hosts", ("/a b/kh", "/c")),
    ("UserKnownHostsFile /a\\ b /c # d\nGlobalKnownHostsFile none\n", "known_hosts", ("/a b", "/c")),
    ("UserKnownHostsFile none\nGlobalKnownHostsFile /g\n", "known_hosts", ("/g",)),
    ("UserKnownHostsFile ~/kh %d/k-%h\nGlobalKnownHostsFile /g\n", "known_hosts",
     (f"{HOME}/kh", f"{HOME}/k-web-1", "/g")),
    ("IdentityFile /k/%h-%r\nUser ops\nIdentityFile \"/a b/%n\"\n", "keys", ("/k/web-1-ops", "/a b/web-1")),
    ("IdentityFile none\n", "keys", ()),
    ("HostKeyAlias The-Shop\nPort 2222\n", "record", "the-shop"),
    ("IdentitiesOnly yes\n", "only_keys", True),
    ("IdentityAgent ~/agent\n", "agent", f"{HOME}/agent"),
    ("IdentityAgent none\n", "agent", ""),
    ("IdentityAgent $SHOP_AGENT\n", "agent", "/run/shop"),
    ("AddressFamily inet\n", "family", "inet"),
    ("CheckHostIP yes\nStrictHostKeyChecking no\nPort 2222\n", "port", 2222),
    ("ProxyCommand none\nProxyJump b1\nPort 2222\n", "port", 2222),
    ("IgnoreUnknown NoSuch*\nNoSuchKeyword x\nPort 2222\n", "port", 2222),
]  # fmt: skip


@pytest.mark.parametrize(("text", "field", "value"), NASTY, ids=[text for text, _, _ in NASTY])
def test_as_ssh_reads_it(
    either: str, text: str, field: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_AGENT", "/run/shop")
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "c").write_text("Port 2201\n")
    (tmp_path / "everyone").write_text("Host *\n  Port 2203\n")
    (tmp_path / "only-others").write_text("Host other\n  Port 2204\nHost web-2\n")
    assert getattr(hop_of(tmp_path, text), field) == value


REFUSED = [
    ("ProxyCommand nc %h %p\n", "ProxyCommand.*not in this version.*jump"),
    ("RevokedHostKeys /etc/revoked\n", "revokedhostkeys /etc/revoked.*not in this version.*@revoked"),
    ("BindAddress 10.0.0.9\n", "bindaddress.*not in this version"),
    ("CertificateFile {here}/id-cert.pub\n", "CertificateFile.*not in this version.*KEY-cert.pub"),
    ("nonsense\n", "nonsense"),
    ("NoSuchKeyword x\n", "(?i)nosuchkeyword"),
    ("Port 99999\n", "99999"),
    ("Match all host x\n", "all"),
    ("Match host\n", "(?i)match"),
    ("HostName a b\n", "(?i)hostname"),
    ("HostName %q\n", "%q|unknown key"),
    ("IdentityFile /k/%q\n", "identityfile.*%q"),
    ("IdentityFile ${{NO_SUCH_VARIABLE}}/k\n", "identityfile.*NO_SUCH_VARIABLE"),
    ("ProxyJump web-1\n", "(?i)loop|circle"),
    ('User "open\n', "quote"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_not_understood_is_refused(either: str, text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "id-cert.pub").write_text("ssh-ed25519-cert-v01@openssh.com AAAA\n")
    with pytest.raises(TransportError, match=words):
        hop_of(tmp_path, text.replace("{{", "{").replace("}}", "}"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Match exec true\n  User x\n", "Match exec"),
        ("Match localnetwork 10.0.0.0/8\n  User x\n", "Match localnetwork"),
        ("Match final host x\n  User x\n", "Match final"),
        ("CanonicalizeHostname yes\n", "canonicalizehostname"),
        ("Port ssh\n", "Port is 'ssh'"),
        ("ProxyJump none\nProxyCommand nc x\n", "ProxyCommand behind"),
        ("Include {here}/%d\n", "tokens"),
        ("User %u\n", "tokens"),
    ],
)
def test_without_ssh_more_is_refused(text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TransportError, match=words) as raised:
        hop_of(tmp_path, text)
    assert "openssh-client" in str(raised.value)


def test_what_the_stack_says_counts_in_conditions(either: str, tmp_path: Path) -> None:
    text = "Match user ops\n  HostName for-ops\nMatch user *\n  HostName for-others\n  IdentityFile /k/%p\n"
    assert hop_of(tmp_path, text, user="ops").address == "for-ops"
    other = hop_of(tmp_path, text, user="root", port=2222)
    assert (other.address, other.keys) == ("for-others", ("/k/2222",))


def test_a_file_that_is_not_there(either: str) -> None:
    with pytest.raises(TransportError, match=r"ssh_config.*/none: No such file"):
        route(Host(name="web-1"), Options(config="/none"))


def test_nobody_is_asked_where_no_file_is_to_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = counting(tmp_path, monkeypatch)
    theirs = answer_of_ssh(Path("none"), "web-1", "-l", "ops")
    (hop,) = route(Host(name="web-1"), Options(config="none", user="ops"))
    assert asked(log) == 1  # by this test
    assert theirs is not None
    assert [hop.address, str(hop.port), hop.user] == [theirs[key][0] for key in ("hostname", "port", "user")]
    assert " ".join(hop.known_hosts) == " ".join(theirs["userknownhostsfile"] + theirs["globalknownhostsfile"])
    assert set(hop.keys) < set(whole_paths(theirs, "web-1", "identityfile"))


# Answers are kept


def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an ssh before the others that writes a line for each time it is started; return that file."""
    real, log, folder = shutil.which("ssh"), tmp_path / "starts", tmp_path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(f'#!/bin/sh\necho started >>"{log}"\nexec {real} "$@"\n')
    (folder / "ssh").chmod(0o755)
    log.touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return log


def asked(log: Path) -> int:
    return len(log.read_text().splitlines())


MANY = """
import sys
from infratest.hosts import Host
from infratest.transports.ssh.route import Options, route
for number in range(200):
    (hop,) = route(Host(name=f"web-{number}"), Options(config=sys.argv[1], answers=sys.argv[2]))
    assert (hop.address, hop.port) == (f"web-{number}.example", 2222), hop
"""


def test_two_hundred_known_hosts_cost_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = counting(tmp_path, monkeypatch)
    config = tmp_path / "config"
    config.write_text("Host web-*\n  HostName %h.example\n  Port 2222\n")
    settled(config, log.parent / "bin" / "ssh")
    for expected in (200, 200):
        words = [sys.executable, "-c", MANY, str(config), str(tmp_path / "kept" / "ssh")]
        subprocess.run(words, check=True, timeout=120)
        assert asked(log) == expected


def settled(*paths: Path) -> None:
    """Wait until the clock of the file system has ticked on since these were written."""
    wait_until(lambda: all(time_ns() - path.stat().st_ctime_ns > 50_000_000 for path in paths))


def test_whatever_was_read_is_read_anew_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = counting(tmp_path, monkeypatch)
    config, inner, folder = tmp_path / "config", tmp_path / "inner", tmp_path / "more"
    folder.mkdir()
    config.write_text(f"Include {inner} {folder}/*.conf {tmp_path}/late\nPort 2204\n")
    inner.write_text("HostName a.example\n")

    def look() -> tuple[str, int, int]:
        settled(config, inner, folder, tmp_path / "bin" / "ssh", tmp_path)
        before = asked(log)
        (hop,) = route(Host(name="web-1"), Options(config=str(config), answers=str(folder.parent / "kept" / "ssh")))
        return hop.address, hop.port, asked(log) - before

    (tmp_path / "kept").mkdir()
    look()  # which makes the folder of the answers, beside what is read
    assert look()[:2] == ("a.example", 2204)
    assert look() == ("a.example", 2204, 0)
    inner.write_text("HostName b.example\n")
    assert look() == ("b.example", 2204, 1)
    assert look() == ("b.example", 2204, 0)
    (folder / "new.conf").write_text("Port 2201\n")
    assert look() == ("b.example", 2201, 1)
    (folder / "new.conf").unlink()
    assert look() == ("b.example", 2204, 1)
    (tmp_path / "late").write_text("Port 2202\n")
    assert look() == ("b.example", 2202, 1)
    config.write_text("HostName c.example\n")
    assert look() == ("c.example", 22, 1)
    assert look() == ("c.example", 22, 0)


@pytest.mark.parametrize(
    ("text", "value", "other"),
    [
        ('Match exec "test -e {here}/flag"\n  User flagged\nHost *\n  User plain\n', "plain", "flagged"),
        ('Match host web-1 exec="test -e {here}/flag"\n  User flagged\nHost *\n  User plain\n', "plain", "flagged"),
    ],
)
def test_what_depends_on_more_than_files_is_never_kept(tmp_path: Path, text: str, value: str, other: str) -> None:
    kept = tmp_path / "kept"
    assert hop_of(tmp_path, text, answers=str(kept)).user == value
    settled(tmp_path / "ssh_config")
    assert hop_of(tmp_path, text, answers=str(kept)).user == value
    (tmp_path / "flag").touch()
    assert hop_of(tmp_path, text, answers=str(kept)).user == other
    assert not kept.exists()


@pytest.mark.parametrize(
    "text",
    [
        "CanonicalizeHostname yes\nCanonicalizeMaxDots 0\n",
        "IdentityFile ${HOME}/k\n",
        "Include {here}/*/x\n",
    ],
)
def test_names_variables_and_many_folders_are_never_kept(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = counting(tmp_path, monkeypatch)
    for expected in (1, 2):
        settled(tmp_path / "bin" / "ssh")
        hop_of(tmp_path, text, "127.0.0.1", answers=str(tmp_path / "kept"))
        assert asked(log) == expected


def test_an_answer_that_others_could_have_written_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, kept = tmp_path / "config", tmp_path / "kept"
    config.write_text("HostName right.example\n")
    settled(config)

    def look() -> str:
        monkeypatch.setattr(ssh_config, "_asked", {})  # as in the next run
        return route(Host(name="web-1"), Options(config=str(config), answers=str(kept)))[0].address

    assert look() == "right.example"
    (answer,) = kept.iterdir()
    answer.write_text(answer.read_text().replace("right", "wrong"))
    assert look() == "wrong.example"  # ours alone to write, and so believed
    answer.chmod(0o666)
    assert look() == "right.example"
    answer.write_text("{")
    assert look() == "right.example"


def test_a_condition_that_hangs_ends_at_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        'Match exec "echo $$ >{0}/pid; sleep 300"\n  User x\n'.replace("{0}", str(tmp_path))
    )
    destination = Destination("web-1", config=str(tmp_path / "config"))
    began = monotonic()
    with pytest.raises(DeadlineExceeded, match=r"ssh -G said nothing of web-1 within .*Match exec"):
        look_up(destination, "", Deadline(1.0))
    assert monotonic() - began < LONG
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes())


def test_a_client_that_is_not_openssh_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\necho 'WARNING: Ignoring unknown option -G' >&2\nexit 1\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert hop_of(tmp_path, "HostName 10.0.0.1 # x\n").address == "10.0.0.1"
    with pytest.raises(TransportError, match="Match exec"):
        hop_of(tmp_path, "Match exec true\n  User x\n")


# The user's own files


USERS = """
from infratest.hosts import Host
from infratest.transports.ssh.route import Options, route
(hop,) = route(Host(name="web-1"), Options())
print(hop.address, hop.port, hop.user, *hop.known_hosts[:2])
"""


@pytest.mark.parametrize("path", [os.environ["PATH"], "/no-ssh"], ids=["asked", "read here"])
def test_the_home_is_the_accounts_whatever_HOME_says(tmp_path: Path, path: str) -> None:
    """As OpenSSH has it: an account with a home of the test's own, in a mount namespace with another passwd file."""
    home = tmp_path / "home"
    (home / ".ssh" / "more").mkdir(parents=True)
    (home / ".ssh" / "config").write_text("Include more/*.conf\nHost *\n  Port 2299\n  User last\n")
    (home / ".ssh" / "more" / "a.conf").write_text("Host web-1\n  HostName 10.0.0.1\n  Port 2201\n")
    account = pwd.getpwuid(os.getuid())
    (tmp_path / "passwd").write_text(f"{account.pw_name}:x:{os.getuid()}:{os.getgid()}::{home}:/bin/sh\n")
    script = f"mount --bind {tmp_path}/passwd /etc/passwd && PATH='{path}' HOME=$0 exec \"$@\""
    # Only a relative Include is sought below HOME.
    for variable, expected in ((str(home), "10.0.0.1 2201 last"), ("/elsewhere", "web-1 2299 last")):
        words = ["unshare", "--mount", "sh", "-c", script, variable, sys.executable, "-c", USERS]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.stdout == f"{expected} {home}/.ssh/known_hosts {home}/.ssh/known_hosts2\n"
    (home / ".ssh" / "config").chmod(0o666)
    refused = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "ad owner or permissions" in refused.stderr
