"""Small configurations of ssh, drawn from parts with a seed, and ssh's own answer to compare ours with."""

from __future__ import annotations

import os
import pwd
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

ALIASES = ("web-1", "db.example.com", "Mixed", "10.1")

HOSTS = (
    "*", "web-*", "web-?", "db.example.com", "*.example.com !db.*", "!web-1 *", "Mixed", "mixed", '"web-1"',
    "web-1 # not db", "'db.example.com' web-1", "web-[0-9]", "10.1", "nobody-here", "*.com", "web-1,db", "web-1 '",
    "",
)  # fmt: skip
CRITERIA = (
    "all", "host web-1", "Host web-*", "HOST *.example.com,!db.*", "host *.inner", "originalhost web-1,Mixed",
    "!host web-1", "originalhost mixed", "user ops", "!user root", "localuser root", "localuser nobody",
    "host web-1 user root", "host=web-1", "all host web-1", "final all", "final host web-1", "canonical all",
    "!canonical host web-1", 'exec "true"', 'exec "false"', "host web-1 exec true", "!exec false", "tagged shop",
    "host", "nonsense x", "host web-1 # and no other", 'host "web-1"', "",
)  # fmt: skip
VALUES = {
    "HostName": ("10.0.0.1", "%h.inner", "Upper.Example", "10.2", "2001:0DB8::1",
                 '"quoted.example"', "a b", "%n.x", "%%x", ""),
    "Port": ("22", "2222", "0", "99999", "ssh", '"23"', "22 # usual", "-1"),
    "User": ("ops", '"two words"', "root", "'single'", "a b", "o#ps", "back\\ slash"),
    "IdentityFile": ("~/.ssh/id_x", "/keys/%h-%r", '"/a b/key"', "%d/.ssh/%n_%p",
                     "none", "/x/%%d", "/y/%q", "${HOME}/k", "'a' b"),
    "CertificateFile": ("/no/cert", "~/c"),
    "IdentitiesOnly": ("yes", "no", "maybe", "YES"),
    "IdentityAgent": ("none", "SSH_AUTH_SOCK", "$AGENT", "~/agent", '"/a b/agent"'),
    "UserKnownHostsFile": ("~/kh", '"/a b/kh"', '/one "/two three"', "none", "none /x",
                           "%d/kh_%h /y # z", "/a\\ b/kh /c", "/k/%q"),
    "GlobalKnownHostsFile": ("/etc/kh", "none", "/e1 /e2"),
    "HostKeyAlias": ("The-Shop", '"x y"', "shop"),
    "ProxyJump": ("b1", "ops@b1:2222,b2", "none", "ssh://u@b3:24", "%h-gate", "b1 # first"),
    "ProxyCommand": ("none", "nc %h %p # whole", "ssh -W %h:%p gate"),
    "AddressFamily": ("inet", "any", "inet7"),
    "BindAddress": ("10.0.0.9",),
    "RevokedHostKeys": ("/etc/revoked", "none"),
    "CanonicalizeHostname": ("no", "maybe"),
    "CheckHostIP": ("yes", "no"),
    "StrictHostKeyChecking": ("ask", "accept-new", "no", "yes"),
    "ForwardAgent": ("yes",),
    "SendEnv": ("LANG LC_*",),
    "Tag": ("shop",),
    "NoSuchKeyword": ("x",),
    "IgnoreUnknown": ("NoSuch*", "nothing"),
    "Include": ("{here}/inc/one", '"{here}/inc/two words"', "{here}/inc/*.conf", "{here}/inc/none", "{here}/inc/none*",
                "{here}/inc/one {here}/inc/b.conf", "{here}/inc/nested"),
}  # fmt: skip
USUAL = ("HostName", "Port", "User", "IdentityFile", "UserKnownHostsFile", "ProxyJump", "Include")
INCLUDED = {
    "one": "Port 2301\n",
    "two words": "Host web-1\n  User spaced\nHost *\n  Port 2302\n",
    "a.conf": "Host db.example.com\n  HostName db.inner\n",
    "b.conf": "User from-b\nMatch host db.inner\n  Port 2303\n",
    "nested": "Host web-*\n  Include {here}/inc/two?words\n  HostName nested.inner\nHost *\n  HostKeyAlias deep\n",
}


def configurations(folder: Path, seed: int, number: int) -> Iterator[Path]:
    """Write configurations; the same for the same seed."""
    drawn = random.Random(seed)
    (folder / "inc").mkdir()
    for name, text in INCLUDED.items():
        (folder / "inc" / name).write_text(text.format(here=folder))
    for at in range(number):
        path = folder / f"config-{at:03}"
        path.write_text("".join(_blocks(drawn)).replace("{here}", str(folder)), newline="")
        yield path


def _blocks(drawn: random.Random) -> Iterator[str]:
    end = drawn.choices(("\n", "\r\n"), (9, 1))[0]
    for at in range(drawn.randint(1, 4)):
        if at or drawn.random() < 0.6:
            kind, options = drawn.choices((("Host", HOSTS), ("Match", CRITERIA)), (3, 2))[0]
            yield f"{_spelt(drawn, kind)} {_mostly_first(drawn, options)}{end}"
        for _ in range(drawn.randint(1, 3)):
            keyword = drawn.choice(USUAL if drawn.random() < 0.7 else [*VALUES])
            value = _mostly_first(drawn, VALUES[keyword])
            indent, between = drawn.choice(("", "  ", "\t")), drawn.choice((" ", "=", " = ", "\t", "  "))
            yield f"{indent}{_spelt(drawn, keyword)}{between}{value}{end}"
        yield drawn.choice(("", end, f"# a comment{end}", f"   {end}"))


def _mostly_first(drawn: random.Random, options: tuple[str, ...]) -> str:
    """Draw one; the odd ones stand last and are drawn less often, since one that ssh refuses spoils the whole file."""
    return options[int(len(options) * drawn.random() ** 2.6)]


def _spelt(drawn: random.Random, keyword: str) -> str:
    return drawn.choices((keyword, keyword.lower(), keyword.upper()), (6, 3, 1))[0]


def answer_of_ssh(config: Path, alias: str, *words: str) -> dict[str, list[str]] | None:
    """Return what `ssh -G` prints, by keyword; None where it refuses the configuration."""
    done = subprocess.run(["ssh", "-G", "-F", config, *words, "--", alias], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    values: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        values.setdefault(keyword, []).append(value)
    return values


def whole_paths(values: dict[str, list[str]], alias: str, keyword: str) -> list[str]:
    """Return paths that ssh prints with their tokens, as it will use them."""
    account = pwd.getpwuid(os.getuid())
    tokens = {
        "%%": "\0", "%d": account.pw_dir, "%h": values["hostname"][0], "%n": alias, "%p": values["port"][0],
        "%r": values["user"][0], "%u": account.pw_name, "${HOME}": os.environ["HOME"],
    }  # fmt: skip
    paths = []
    for path in values.get(keyword, []):
        for token, value in tokens.items():
            path = path.replace(token, value)
        paths.append((account.pw_dir + path[1:] if path.startswith("~/") else path).replace("\0", "%"))
    return paths
