"""The fact `configuration` and its sentences, by the real sshd, nginx and Apache with configurations of the tests.

Each configuration lies over the system's own in a mount namespace, which ends with who looks.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from infratest.errors import FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.configuration import Configuration, ConfigurationFact, _nginx
from tests.facts.test_address import tools
from tests.worlds.asked import ask

PROGRAMS = (("sshd",), ("nginx",), ("apache",))
PLACES = {"sshd": "/etc/ssh/sshd_config", "nginx": "/etc/nginx/nginx.conf", "apache": "/etc/apache2/apache2.conf"}

GOOD = {
    "sshd": "Port 2222\nPermitRootLogin no\nMaxAuthTries 3\nHostKey {key}\nAcceptEnv LANG LC_*\nAcceptEnv TZ\n",
    "nginx": """
pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_processes 2; # listen 99;
events {{ worker_connections 64; }}
http {{
  access_log off;
  log_format odd '$remote_addr "{{;}}" \\'x\\'';
  server {{ listen 8080; server_name a.example  b.example; location ~ ^/x$ {{ return 200 "${{scheme}}{{}}"; }} }}
  server {{ listen 127.0.0.1:8081; }}
}}
""",
    "apache": """
ServerRoot /etc/apache2
ServerName test.example
PidFile {folder}/pid
DocumentRoot /srv
User nobody
ErrorLog {folder}/apache.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
""",
}
BAD = {"sshd": "NoSuchOption yes\n", "nginx": "nosuch on;\n", "apache": "NoSuchOption on\n"}


@pytest.fixture
def over(tmp_path):
    """Return the words that run a program where these are the configurations."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    tmp_path.chmod(0o755)

    def words(texts):
        mounts = ["mkdir -p /run/sshd"]
        for name, text in texts.items():
            path = tmp_path / name
            path.write_text(text.format(folder=tmp_path, key=key) if text != BAD[name] else text)
            mounts.append(f"mount --bind {path} {PLACES[name]}")
        return ["unshare", "--mount", "sh", "-ec", "\n".join([*mounts, 'exec "$@"']), "sh"]

    return words


def asked(*under, path=None):
    words = [*under, "env", f"PATH={path or os.environ['PATH']}", "sh", "-c", ConfigurationFact().ask(PROGRAMS)]
    done = subprocess.run(words, capture_output=True, timeout=60)
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    return [one[1] for one in ConfigurationFact().read(answer, PROGRAMS).items()]


def test_options_are_what_the_files_say(over):
    sshd, nginx, apache = asked(*over(GOOD))
    assert [one.problem for one in (sshd, nginx, apache)] == ["", "", ""]
    assert sshd.of("PermitRootLogin", "sshd") == ("no",)
    assert sshd.of("acceptenv", "sshd") == ("LANG", "LC_*", "TZ")
    assert nginx.of("listen", "nginx") == ("8080", "127.0.0.1:8081")
    assert nginx.of("http.server.server_name", "nginx") == ("a.example b.example",)
    assert nginx.of("location.return", "nginx") == ("200 ${scheme}{}",)
    assert nginx.of("log_format", "nginx") == ("odd $remote_addr \"{;}\" 'x'",)
    assert apache.of("Main DocumentRoot", "apache") == ("/srv",)
    assert "mpm_event" in apache.of("module", "apache")


MATCHED = """\
PasswordAuthentication no
Include {folder}/more.conf
Match User deploy # of some
  PasswordAuthentication yes
  X11Forwarding="no"
  AcceptEnv TZ
"""
ROWS = (("passwordauthentication", "yes"), ("x11forwarding", "no"), ("acceptenv", "TZ"), ("permitrootlogin", "yes"))


def test_options_of_match_blocks_are_told_beside_those_of_all(over, tmp_path):
    (tmp_path / "more.conf").write_text("AcceptEnv LANG\n# Match User x\nMatch Group admins\nPermitRootLogin yes\n")
    sshd, *_ = asked(*over({**GOOD, "sshd": GOOD["sshd"] + MATCHED}))
    assert sshd.of("passwordauthentication", "sshd") == ("no",)
    assert sorted(sshd.matched) == sorted(ROWS)
    assert asked(*over(GOOD))[0].matched == ()


def test_what_is_asked_for_somebody_has_the_match_blocks_in_it(over):
    under = over({"sshd": GOOD["sshd"] + "Match User deploy\nPasswordAuthentication yes\n"})
    argument = ("sshd", "user=deploy,host=web,addr=10.0.0.9")
    done = subprocess.run([*under, "sh", "-c", ConfigurationFact().ask([argument])], capture_output=True, timeout=60)
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    one = ConfigurationFact().read(answer, [argument])[argument]
    assert (one.of("passwordauthentication", "sshd"), one.matched) == (("yes",), ())


def test_what_a_program_refuses_is_not_valid(over):
    sshd, nginx, apache = asked(*over(BAD))
    assert "Bad configuration option: NoSuchOption" in sshd.problem
    assert 'unknown directive "nosuch"' in nginx.problem
    assert "No MPM loaded" in apache.problem, "of what it refuses Apache names one"


MAIN_CF = """\
compatibility_level = 3.6
myhostname = mail.example
mydestination = $myhostname,
    localhost
inet_interfaces = loopback-only
relayhost =
"""


def of_postfix(text, tmp_path):
    file, argument = tmp_path / "main.cf", ("postfix",)
    file.write_text(text)
    under = ["unshare", "--mount", "sh", "-ec", f'mount --bind {file} /etc/postfix/main.cf; exec "$@"', "sh"]
    done = subprocess.run([*under, "sh", "-c", ConfigurationFact().ask([argument])], capture_output=True, timeout=60)
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    return ConfigurationFact().read(answer, [argument])[argument]


def test_postfix_parameters_are_what_main_cf_comes_to(tmp_path):
    found = of_postfix(MAIN_CF, tmp_path)
    assert found.of("inet_interfaces", "postfix") == ("loopback-only",)
    assert found.of("mydestination", "postfix") == ("mail.example, localhost",)
    assert found.of("relayhost", "postfix") == ("",)
    assert found.of("message_size_limit", "postfix") == ("10240000",), "what main.cf does not set, as well"
    assert found.of("nosuch", "postfix") == ()


def test_what_postconf_refuses_has_no_parameters(tmp_path):
    assert "missing '=' after attribute name" in of_postfix("nosuch words\n", tmp_path).problem


def test_who_may_not_read_it_does_not_know(over, tmp_path):
    others = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    under = over(GOOD)
    for name in GOOD:
        (tmp_path / name).chmod(0o600)
    assert all(isinstance(one, FactError) for one in asked(*under, *others))


def test_a_host_without_the_programs_says_so(tmp_path):
    path = tools(tmp_path / "bin", "sh", "id", "head", "base64")
    under = ["unshare", "--mount", "sh", "-ec", 'mount -t tmpfs none /usr/sbin; exec "$@"', "sh"]
    for failure in asked(*under, path=path):
        assert isinstance(failure, FactError)
        assert "is not installed on this host" in str(failure)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a b;", [("a", "b")]),
        ('a \'b;c\' "d\\"e";', [("a", 'b;c d"e')]),
        ("x { y { z 1; } } w;", [("x.y.z", "1"), ("w", "")]),
        ("} a 1;", [("a", "1")]),
        ("a 'cut", []),
        ("a ${b}c;#x;\nd e", [("a", "${b}c")]),
        ("", []),
    ],
)
def test_words_of_nginx(text, options):
    assert list(_nginx(text)) == options


INCLUDING = """# configuration file /etc/nginx/nginx.conf:
pid /run/nginx.pid;
http {
    include /etc/nginx/sites-enabled/*;
    include snippets/tls.conf;
}
stream { include streams/?.conf; }
# configuration file /etc/nginx/sites-enabled/shop:
server { autoindex on; include snippets/tls.conf; location / { include snippets/tls.conf; } }
server { include snippets/tls.conf; }
# configuration file /etc/nginx/snippets/tls.conf:
ssl_protocols TLSv1.3;
# configuration file /etc/nginx/streams/a.conf:
server { listen 53; }
# configuration file /etc/nginx/elsewhere:
alone 1;
"""


def test_what_nginx_includes_stands_in_the_blocks_around_it():
    found = [one for one in _nginx(INCLUDING) if not one[0].endswith("include")]
    assert found == [
        ("pid", "/run/nginx.pid"),
        ("http.server.autoindex", "on"),
        ("http.server.ssl_protocols", "TLSv1.3"),
        ("http.server.location.ssl_protocols", "TLSv1.3"),
        ("http.ssl_protocols", "TLSv1.3"),
        ("stream.server.listen", "53"),
        ("alone", "1"),
    ]
    configuration = Configuration("", tuple(found))
    assert configuration.of("server.autoindex", "nginx") == configuration.of("http.server.autoindex", "nginx")
    assert configuration.of("http.server.listen", "nginx") == ()


@pytest.mark.parametrize(
    "files",
    [
        {"/a": "x { include /a; } y { include /a; }"},
        {f"/{depth}": f"include /{depth + 1};" for depth in range(2000)},
    ],
)
def test_files_of_nginx_that_include_one_another_without_an_end_are_not_read(files):
    text = "\n".join(f"# configuration file {path}:\n{words}" for path, words in files.items())
    with pytest.raises(FactError, match="deep or at 10000 places"):
        list(_nginx(text))


def test_an_option_of_nginx_is_one_by_its_whole_names():
    configuration = Configuration("", (("server.ssl_protocols", "TLSv1.3"), ("protocols", "x")))
    assert configuration.of("protocols", "nginx") == ("x",)
    assert configuration.of("Protocols", "nginx") == ()


SENTENCES = {
    'the configuration of "sshd" is valid': "ok",
    'the configuration of "nginx" is valid': "ok",
    'the configuration of "apache" is valid': "ok",
    'the configuration of "apache" is not valid': "critical",
    'the configuration of "sshd" has "permitrootlogin" equal to "no"': "ok",
    'the configuration of "sshd" has "permitrootlogin" equal to "yes"': "critical",
    'the configuration of "sshd" has "permitrootlogin" not equal to "yes"': "ok",
    'the configuration of "sshd" has "acceptenv" equal to "TZ"': "ok",
    'the configuration of "sshd" has "acceptenv" not equal to "TZ"': "critical",
    'the configuration of "sshd" has "maxauthtries" at most 3': "ok",
    'the configuration of "sshd" has "maxauthtries" at most 2': "critical",
    'the configuration of "sshd" has "port" exactly 2222': "ok",
    'the configuration of "sshd" has "nosuch" not equal to "x"': "critical",
    'the configuration of "nginx" has "server.listen"': "ok",
    'the configuration of "nginx" has "server.ssl_certificate"': "critical",
    'the configuration of "nginx" does not have "server.ssl_certificate"': "ok",
    'the configuration of "nginx" has "server_name" equal to "a.example b.example"': "ok",
    'the configuration of "nginx" has "worker_processes" exactly 2': "ok",
    'the configuration of "nginx" has "listen" at least 1': "unknown",
    'the configuration of "apache" has "module" equal to "mpm_event"': "ok",
    'the configuration of "apache" has "module" equal to "ssl"': "critical",
}


def test_sentences_are_what_the_configurations_are(over, tmp_path):
    for number, (texts, sentences) in enumerate(((GOOD, SENTENCES), (BAD, dict.fromkeys(SENTENCES, "critical")))):
        (folder := tmp_path / f"run-{number}").mkdir()
        if texts is BAD:
            sentences |= {'the configuration of "apache" is not valid': "ok"}
        seen = ask(folder, list(sentences), under=over(texts))
        pairs = zip(sentences.items(), seen, strict=True)
        assert [(text, one, state) for (text, state), one in pairs if one[0] != state] == []


MATCHES = """
PasswordAuthentication no
MaxAuthTries 6
Match User deploy Address 10.0.0.0/8
  PasswordAuthentication yes
  MaxAuthTries 2
Match Host *.example
  X11Forwarding yes
"""
DEPLOY, ELSEWHERE, OTHER = (
    f"user={user},host={host},addr={address}"
    for user, host, address in (
        ("deploy", "db.lan", "10.0.0.9"), ("deploy", "db.example", "192.0.2.9"), ("root", "db.lan", "10.0.0.9"),
    )
)  # fmt: skip


def test_match_blocks_are_what_they_come_to_for_who_logs_in(over, tmp_path):
    sentences = {
        f'the configuration of "sshd"{whom} has "{name}" equal to "{value}"': state
        for whom, name, value, state in (
            (f' for "{DEPLOY}"', "passwordauthentication", "yes", "ok"),
            (f' for "{ELSEWHERE}"', "passwordauthentication", "yes", "critical"),
            (f' for "{OTHER}"', "passwordauthentication", "yes", "critical"),
            ("", "passwordauthentication", "no", "critical"),  # not for all
            (f' for "{ELSEWHERE}"', "x11forwarding", "yes", "ok"),
            (f' for "{DEPLOY}"', "x11forwarding", "yes", "critical"),
        )
    }
    sentences[f'the configuration of "sshd" for "{DEPLOY}" has "maxauthtries" at most 2'] = "ok"
    sentences[f'the configuration of "sshd" for "{OTHER}" has "maxauthtries" at most 2'] = "critical"
    seen = ask(tmp_path, list(sentences), under=over({"sshd": "HostKey {key}" + MATCHES}))
    pairs = zip(sentences.items(), seen, strict=True)
    assert [(text, one, state) for (text, state), one in pairs if one[0] != state] == []


@pytest.mark.parametrize(
    ("program", "who"),
    [
        ("nginx", DEPLOY), ("sshd", "deploy"), ("sshd", "user=deploy"), ("sshd", "user=a,host=b,addr="),
        ("sshd", f"{DEPLOY},nosuch=1"), ("sshd", f"{DEPLOY},user=root"), ("sshd", f"{DEPLOY}\n"),
    ],
)  # fmt: skip
def test_what_is_nobody_of_whom_sshd_could_be_asked_is_refused(program, who):
    with pytest.raises(UserError, match="the configuration of"):
        ConfigurationFact().ask([(program, who)])
