"""goss files of our own, one an attribute, carried over and asked of a machine; each title says the verdict, by hand.

A title that holds `holds` must be ok, and one that holds `fails` critical. The machine is a private copy of this one's
root with an init system, accounts, files, a mount and listeners of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.gherkin.vocabulary import vocabulary
from infratest.importers.goss import Goss
from infratest.importers.goss.attributes import KINDS
from infratest.testing.waiting import wait_until
from tests.worlds import forked
from tests.worlds.inits import KINDS as INITS
from tests.worlds.inits import running

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/importers/goss"
CASES = sorted(DATA.glob("*.yaml"))
#: Attributes that are told as a note, since no host is asked for them; each has a reason on docs/reach.md.
LEFT = {"mount.timeout", "dns.timeout", "matching.content", "matching.matches"}
#: Attributes whose sentences ask a server that is not here; they are compared as text.
ELSEWHERE = {"dns.server", "gossfile.file"}

#: What the secrets of the files become, and what they are.
SECRETS = {
    "secret_of_ada_at_127_0_0_1_8103_login": "l0velace",
    "secret_of_eve_at_127_0_0_1_8103_login": "l0velace",
    "secret_of_ada_at_127_0_0_1_8103_login_wrong": "wr0ng-one",
}
OBJECTS = r"""
ip link set lo up
ln -s /proc/self/fd /dev/fd
echo '10.9.8.7 goss.example' >>/etc/hosts
echo 'goss-group:x:4712:' >>/etc/group
echo 'goss-more:x:4713:goss-user' >>/etc/group
echo 'goss-user:x:4711:4712::/srv/goss:/bin/false' >>/etc/passwd
mkdir -p /srv/goss/folder /srv/goss/mount
cd /srv/goss
mkfifo pipe
printf 'listen = 8101\ndebug = no\npath = !x{y\n' >app.conf
chmod 0640 app.conf
chown 4711:4712 app.conf
printf '{"db": {"host": "10.0.0.2", "port": 5432}, "hosts": ["a1", "b", "c"], "tls": true}' >app.json
: >empty
chmod 0755 folder
ln -s app.conf link
ln -s nowhere dangling
mount -t tmpfs -o nosuid,size=1m goss-tmpfs mount
head -c 262144 /dev/zero >mount/quarter
cp /bin/sleep goss-sleeper
exec >/dev/null 2>&1
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem
for name in server me; do
  openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name.key -out $name.csr
  printf 'subjectAltName=IP:127.0.0.1' >$name.ext
  openssl x509 -req -days 2 -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $name.ext -out $name.pem
done
"""
#: Says what it was sent; with the words `tls`, by whose certificate too.
ECHO = r"""
import http.server, ssl, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        right = self.headers.get("Authorization") == "Basic YWRhOmwwdmVsYWNl"
        who = self.connection.getpeercert() if len(sys.argv) > 2 else {}
        client = dict(pair for part in (who or {}).get("subject", ()) for pair in part).get("commonName", "nobody")
        said = f"method {self.command}\npath {self.path}\nsent {sent}\nclient {client}\n{self.headers}".encode()
        refused = self.path.startswith("/login") and not right
        self.send_response(401 if refused else 302 if self.path == "/old" else 200)
        if self.path == "/old":
            self.send_header("Location", "/new")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_PUT = do_POST = do_DELETE = do_GET
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/srv/goss/server.pem", "/srv/goss/server.key")
    context.load_verify_locations("/srv/goss/ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
SERVERS = (
    ("python3", "-c", ECHO, "8103"),
    ("python3", "-c", ECHO, "8104", "tls"),
    ("python3", "-m", "http.server", "8101", "--bind", "127.0.0.1", "--directory", "/srv/goss"),
    ("python3", "-c", "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
     "s.bind(('127.0.0.1', 8102)); time.sleep(600)"),
    ("python3", "-c", "import socket, time; s = socket.create_server(('::1', 8105), family=socket.AF_INET6); "
     "time.sleep(600)"),
    ("/srv/goss/goss-sleeper", "600"),
)  # fmt: skip


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A folder with the feature of each file that has one."""
    folder = tmp_path_factory.mktemp("imported")
    for path in CASES:
        made = Goss().read(path, ())
        if made.files and path.stem not in ELSEWHERE:
            (folder / f"{path.stem}.feature").write_text(made.files[""])
    declared = "".join(f"  {name}: {{type: string, secret: true, from: {{env: {name}}}}}\n" for name in SECRETS)
    (folder / "stack.yaml").write_text(f"stack: goss\nprovider: local\nhosts: {{it: {{}}}}\nparameters:\n{declared}")
    return folder


@pytest.fixture(scope="module")
def states(imported, tmp_path_factory):
    """What came of each scenario on the machine, by its name."""
    init = INITS["SysV init"]
    kind = init._replace(setup=init.setup + OBJECTS)
    with running(kind, tmp_path_factory.mktemp("machine")) as words:
        servers = [subprocess.Popen([*words, *server], stderr=subprocess.DEVNULL) for server in SERVERS]
        try:
            ready = ("test -e /run/works.pid && ss -lnu | grep -q :8102 && for port in 8101 8103 8104 8105; do "
                     "ss -lnt | grep -q :$port || exit 1; done")  # fmt: skip
            assert wait_until(lambda: subprocess.run([*words, "sh", "-c", ready], check=False).returncode == 0)
            done = subprocess.run(
                [*words, sys.executable, "-m", "infratest", "check", "--stack",
                 str(imported / "stack.yaml"), str(imported), "--format", "json", "--timeout", "60s", "--state",
                 "/tmp/goss-state"],
                capture_output=True, text=True, check=False, timeout=90,
                env={name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_")} | SECRETS,
            )  # fmt: skip
        finally:
            for server in servers:
                server.kill()
                server.wait()
    assert done.stdout, done.stderr
    return {
        each["scenario"]: (each["state"], "; ".join(step["reason"] for step in each["steps"] if step["reason"]))
        for each in json.loads(done.stdout)["results"]
    }


def titles(path: Path) -> list[str]:
    return [line.split("title: ")[1].partition(",")[0] for line in path.read_text().splitlines() if "title: " in line]


@pytest.mark.parametrize(
    "path", [path for path in CASES if path.stem not in LEFT | ELSEWHERE], ids=lambda path: path.stem
)
def test_the_verdict_of_each_resource_is_the_one_that_its_title_says(path, states):
    named = titles(path)
    assert any(" holds" in title for title in named)
    assert any(" fails" in title for title in named)
    for title in named:
        state, reason = states[title]
        assert state == ("ok" if " holds" in title else "critical"), (title, reason)


def test_all_that_is_written_is_what_lint_accepts(imported):
    done = forked.run(["lint", str(imported)], cwd=imported)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_attribute_has_a_file():
    known = {f"{kind}.{name}" for kind, about in KINDS.items() for name in (*about.attributes, *about.together)}
    assert {path.stem for path in CASES} == known | {"gossfile.file", "command.exec"}


def test_each_attribute_of_the_peers_list_is_known_here():
    peers = tomllib.loads((ROOT / "docs/peers/goss.toml").read_text())
    listed = {f"{kind}.{name}" for kind, rows in peers.items() if isinstance(rows, dict) for name in rows}
    assert {name for name in listed if not name.startswith("registry.")} == {path.stem for path in CASES}


@pytest.mark.parametrize("name", sorted(LEFT))
def test_what_asks_no_host_is_a_note_with_its_line(name):
    made = Goss().read(DATA / f"{name}.yaml", ())
    assert not made.files
    assert made.carried == 0
    assert not made.left
    assert made.notes
    assert made.notes[0].line == 3
    assert made.notes[0].path.endswith(f"{name}.yaml")


def test_records_of_a_server_are_asked_of_it():
    made = Goss().read(DATA / "dns.server.yaml", ())
    assert not made.left
    assert [line.split(maxsplit=1)[1] for line in made.files[""].splitlines() if "by the server" in line] == [
        'the name "shop.example" has at least 1 MX records by the server "10.0.0.53" from the host',
        'the name "shop.example" has the MX record "10 mail.shop.example." by the server "10.0.0.53" from the host',
        'the name "www.shop.example" has at least 1 AAAA records by the server "10.0.0.53:5353" from the host',
        'the name "www.shop.example" has the AAAA record "2001:db8::1" by the server "10.0.0.53:5353" from the host',
    ]


def test_included_files_are_read_and_skipped_ones_are_not():
    made = Goss().read(DATA / "gossfile.file.yaml", ())
    assert not made.left
    scenarios = {line.partition("Scenario: ")[2] for line in made.files[""].splitlines() if "Scenario: " in line}
    assert scenarios == {"group.gid holds", "group.gid fails", "group.exists holds", "group.exists fails"}


GOSS = {
    "templates": ("package:\n  {{.Vars.web.name}}: {installed: {{ .Vars.wanted }}}\n"
                  "  {{ .Env.GOSS_EXTRA -}} : {installed: true}\n",
                  ['the package "extra" is installed', 'the package "nginx" is not installed']),
    "JSON with tabs": ('{\n\t"group": {\n\t\t"www": {"exists": true}\n\t}\n}\n', ['the group "www" exists']),
    "braces that would be values": ("command:\n  'echo {host.name} {{`{{x}}`}}':\n    exit-status: 0\n",
                                    ['the command "echo {{host.name} {{{{x}}" exits 0']),
    "loops and conditions": ("user:\n{{range $name := mkSlice `ada` `eve`}}\n  {{$name}}: {exists: true}\n{{end}}"
                             "{{if eq .Env.GOSS_EXTRA `other`}}  none: {exists: true}{{end}}\n",
                             ['the user "ada" exists', 'the user "eve" exists']),
    "a command that reads like a truth value": ("command:\n  a: {exec: true, exit-status: 0}\n",
                                                ['the command "true" exits 0']),
    "a brace of a value": ("command:\n  'echo {host.name}':\n    exit-status: 0\n",
                           ['the command "echo {{host.name}" exits 0']),
    "a backslash at the end": ("command:\n  'printf a\\':\n    exit-status: 0\n",
                               ['the command "printf a\\\\" exits 0']),
    "two of a path without a type": ("file:\n  /etc:\n    exists: false\n",
                                     ['the path "/etc" does not exist', 'the link "/etc" does not exist']),
    "the host of a URL in a header": ("http:\n  http://a.example:80/x:\n    request-headers: ['Host: A.example:80']\n"
                                      "    status: 200\n    no-follow-redirects: true\n",
                                      ['"http://a.example:80/x" answers 200 from the host']),
    "headers by their old name": ("http:\n  http://a/:\n    header: [X]\n    no-follow-redirects: true\n"
                                  "    status: 200\n",
                                  ['"http://a/" has a header matching "X" from the host',
                                   '"http://a/" answers 200 from the host']),
    "families of addresses": ("port:\n  tcp:80: {listening: false}\n  tcp6:80: {listening: true}\n"
                              "  udp6:53: {listening: false}\n",
                              ['port 80 is listening at an IPv6 address', 'port 80 is not listening at an IPv4 address',
                               'port 53/udp is not listening at an IPv6 address']),
    "carets": ("package:\n  x:\n    installed: true\n    versions: {semver-constraint: '^1.2.3'}\n",
               ['the package "x" is installed', 'the package "x" has at least version "1.2.3"',
                'the package "x" has a version less than "2.0.0"']),
    "tildes": ("package:\n  x:\n    versions: {semver-constraint: '~0.2.3'}\n",
               ['the package "x" has at least version "0.2.3"', 'the package "x" has a version less than "0.3.0"']),
    "an element that no line may be": ("file:\n  /a:\n    contents: {not: {contain-element: x}}\n",
                                       ['the file "/a" does not contain "x"']),
}  # fmt: skip


def sentences(text: str) -> list[str]:
    return [line.strip().partition(" ")[2] for line in text.splitlines() if line.strip().startswith(("Then", "And"))]


@pytest.mark.parametrize("name", sorted(GOSS))
def test_odd_files(name, tmp_path, monkeypatch):
    text, expected = GOSS[name]
    (tmp_path / "goss.yaml").write_text(text)
    (tmp_path / "vars.yaml").write_text("web: {name: nginx}\nwanted: false\n")
    monkeypatch.setenv("GOSS_EXTRA", "extra")
    made = Goss().read(tmp_path / "goss.yaml", [tmp_path / "vars.yaml"])
    assert sentences(made.files[""]) == expected
    assert not made.left


#: What is refused whole -> what the message names.
REFUSED = {
    "functions that are not known": ("package:\n{{range nosuch}}\n  x: {}\n{{other}}{{end}}\n",
                                     r"goss.yaml:2: \{\{range nosuch}}[^\0]*goss.yaml:4: .*render the file with goss"),
    "a value that is not there": ("package:\n  {{.Vars.nosuch}}: {}\n", "goss.yaml:2: .*--vars FILE has it not"),
    "a variable that is not there": ("a: {{.Env.GOSS_NOSUCH}}\n", "the environment has no such variable"),
    "a key that stands twice": ("package:\n  x: {}\n  x: {}\n", "goss.yaml:3: 'x' stands twice"),
    "what is no YAML": ("package: [\n", "goss.yaml:.*no YAML"),
    "a list": ("- package\n", "goss.yaml:1: a map was expected"),
    "nothing": ("# nothing\n", "has no resources"),
    "itself": ("gossfile:\n  goss.yaml: {}\n", "includes itself"),
    "a file that is not there": ("gossfile:\n  nosuch.yaml: {}\n", "nosuch.yaml cannot be read: No such file"),
    "a pattern that no file fits": ("gossfile:\n  '*.nosuch': {}\n", "goss.yaml:2: no file fits"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_read_whole_is_refused(name, tmp_path):
    text, words = REFUSED[name]
    (tmp_path / "goss.yaml").write_text(text)
    with pytest.raises(UserError, match=words):
        Goss().read(tmp_path / "goss.yaml", ())


#: What is left -> its line and words. Each file has one thing besides that is carried over.
TOLD = {
    "an or": ("command:\n  x:\n    exit-status: {or: [{gt: 3}, 0]}\n", 3, "one or another"),
    "an empty list inside": ("command:\n  x:\n    stdout: {and: []}\n", 3, "asserts nothing"),
    "not and": ("command:\n  x:\n    stdout:\n      not: {and: [{gt: 1}, {lt: 3}]}\n", 4, "cannot be said"),
    "one pattern of two": ("http:\n  http://a/:\n    body:\n    - 'text'\n    - /(?=a)/\n", 5, "lookaround"),
    "four request headers": ("http:\n  http://a/:\n    request-headers: ['A: 1', 'B: 2', 'C: 3', 'D: 4']\n"
                             "    status: 200\n", 3, "room for three"),
    "a header that a URL makes": ("http:\n  http://a/:\n    request-headers: ['Host: b']\n    status: 200\n", 4,
                                  "is made of the URL"),
    "how and not what": ("http:\n  http://a/:\n    method: PUT\n", 3, "nothing of its answer"),
    "a key alone": ("http:\n  https://a/:\n    key-file: /a\n    status: 200\n", 3, "without its certificate"),
    "a password alone": ("http:\n  https://a/:\n    password: a\n    status: 200\n", 3, "without a username"),
    "a status in a bound": ("http:\n  http://a/:\n    status: {lt: 400}\n", 3, "for a bound of a status"),
    "one of two modes without quotes": (
        "file:\n  /a:\n    filetype: file\n    mode: {or: [420, '0600']}\n", 4, "in quotes",
    ),
    "a mode without quotes": ("file:\n  /a:\n    filetype: file\n    mode: 0644\n", 4, "in quotes"),
    "the mode of a link": ("file:\n  /a:\n    filetype: symlink\n    mode: '0777'\n", 4, "link itself"),
    "the owner of a link": ("file:\n  /a:\n    filetype: symlink\n    owner: root\n", 4, "no sentence"),
    "a type of no file": ("file:\n  /a:\n    filetype: door\n", 3, "type door"),
    "the home of another": ("file:\n  ~ada/x: {exists: true}\n", 2, "home of a user"),
    "old and new name": ("file:\n  /a:\n    contents: [a]\n    contains: [b]\n", 4, "contents says it, too"),
    "values that differ": ("matching:\n  a: {content: 1, matches: 2}\n", 2, "so that goss fails"),
    "a pattern that RE2 has not": ("file:\n  /a:\n    contents: ['/(?=a)/']\n", 3, "lookaround"),
    "a misspelt attribute": ("user:\n  a:\n    exist: true\n", 3, "did you mean 'exists'"),
    "a misspelt kind": ("packages:\n  a: {installed: true}\n", 1, "did you mean 'package'"),
    "a command of two lines": ("command:\n  x:\n    exec: |\n      a\n      b\n    exit-status: 0\n", 6, "line ends"),
    "a range or another": ("package:\n  x:\n    versions: {semver-constraint: '<1 || >2'}\n", 3, "or another"),
    "a path of gjson with a query": ("command:\n  x:\n    stdout: {gjson: {'a.#(b==1).c': 2}}\n", 3, "goes beyond"),
    "nothing at all": ("package:\n  x: {}\n", 2, "asserts nothing"),
    "Windows": ("registry:\n  x: {exists: true}\n", 1, "Windows"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TOLD))
def test_what_is_left_is_told(name, tmp_path):
    text, line, words = TOLD[name]
    (tmp_path / "goss.yaml").write_text(text + "process:\n  init: {running: true}\n")
    made = Goss().read(tmp_path / "goss.yaml", ())
    assert any(remark.line == line and words in remark.words for remark in made.left), made.left
    assert 'the process "init" is running' in made.files[""]
    for sentence in sentences(made.files[""]):
        assert vocabulary().match(sentence)


def test_secrets_of_requests_stand_in_no_feature(tmp_path):
    (tmp_path / "goss.yaml").write_text(
        "http:\n  https://a.example/:\n    status: 200\n    username: ada\n    password: l0velace\n"
        "    request-headers: ['X-Api-Key: k3y-of-ada', 'Accept: text/plain']\n"
    )
    made = Goss().read(tmp_path / "goss.yaml", ())
    asked = (
        '"https://a.example/" with the request header "X-Api-Key: {param.secret_of_x_api_key_at_a_example}" '
        'and the request header "Accept: text/plain" logged in as "ada:{param.secret_of_ada_at_a_example}"'
    )
    assert sentences(made.files[""]) == [f"{asked} following redirects answers 200 from the host"]
    assert not made.left
    assert [(note.line, note.words.partition("to the parameter ")[2].split()[0]) for note in made.notes] == [
        (5, "secret_of_ada_at_a_example"), (6, "secret_of_x_api_key_at_a_example"),
    ]  # fmt: skip
    assert not any(secret in f"{made}" for secret in ("l0velace", "k3y-of-ada"))


def test_the_parameter_of_a_long_url_is_one_that_a_stack_file_can_have(tmp_path):
    place = "a.example/with/a/path/that/is/longer/than/any/name/of/a/parameter/may/be"
    (tmp_path / "goss.yaml").write_text("http:\n" + "".join(
        f"  https://{place}?{part}: {{status: 200, username: ada, password: l0velace}}\n" for part in ("one", "two")
    ))  # fmt: skip
    made = Goss().read(tmp_path / "goss.yaml", ())
    names = {line.partition("{param.")[2].partition("}")[0] for line in sentences(made.files[""])}
    assert len(names) == 2
    (tmp_path / "it.feature").write_text(made.files[""])
    declared = "".join(f"  {name}: {{type: string, secret: true, from: {{env: X}}}}\n" for name in names)
    (tmp_path / "stack.yaml").write_text(f"stack: a\nprovider: local\nhosts: {{it: {{}}}}\nparameters:\n{declared}")
    done = forked.run(["lint", "."], cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_verb_says_what_it_did(tmp_path):
    (tmp_path / "goss.yaml").write_text(
        "package:\n  bash: {installed: true}\nmatching:\n  a: {content: 1, matches: 2}\n"
    )

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        return forked.run(["import", *words], cwd=tmp_path)  # fmt: skip

    done = ran("goss", "goss.yaml")
    assert done.returncode == 1
    assert sentences(done.stdout) == ['the package "bash" is installed']
    assert "goss.yaml:4: not carried over: matching a: content: " in done.stderr
    assert "1 claim carried over; 1 claim could not be" in done.stderr
    assert ran("goss", "goss.yaml", "--dry-run").stdout == ""
    (tmp_path / "whole.yaml").write_text("package:\n  bash: {installed: true}\n")
    assert ran("goss", "whole.yaml").returncode == 0
    unknown = ran("gos", "goss.yaml")
    assert unknown.returncode == 2
    assert "goss" in unknown.stderr
    assert ran("goss", "nosuch.yaml").returncode == 2
