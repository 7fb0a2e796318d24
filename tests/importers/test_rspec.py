"""Serverspec's and InSpec's plain blocks, carried over; what is none is left with its line. Outcomes by hand."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.gherkin.writing import fault, in_quotes
from infratest.importers import _rspec_tables
from infratest.importers._rspec_tables import COMPARED, CONTAINS, EQUAL, GIVEN, MATCHES, ONE_OF, PLAIN
from infratest.importers._ruby_pattern import as_re2
from infratest.importers.inspec import Inspec
from infratest.importers.serverspec import Serverspec
from infratest.regular_expression import compiled
from tests.worlds import forked

DATA = Path(__file__).parents[1] / "data" / "importers"
#: What a value is where any text would be refused.
VALUES = {
    "have_interface": "eth0", "be_more_permissive_than": "0640",
    "exit_status": "0", "status": "200", "mode": "0644", "be_mode": "0644", "md5sum": "0" * 32, "sha256sum": "0" * 64,
    "uid": "5", "gid": "5", "have_uid": "5", "have_gid": "5", "addresses": "10.0.0.1", "have_ipv4_address": "10.0.0.1",
    "have_ipv6_address": "::1", "ipaddress": "10.0.0.1", "id": "sha256:0e66b6a3", "": "debian", "image": "redis:7",
    "have_authorized_key": "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
}  # fmt: skip
NAMES = {
    "port": "80", "http": "http://x/",
    **dict.fromkeys(("file", "mount", "x509_certificate", "x509_private_key"), "/x"),
}  # fmt: skip


def spec(tmp_path: Path, text: str):
    path = tmp_path / "x_spec.rb"
    path.write_text(text)
    return Serverspec().read(path)


def said(tmp_path: Path, text: str) -> list[str]:
    """Return the sentences of a spec of which nothing is left."""
    made = spec(tmp_path, text)
    assert made.left == []
    return [line.split(maxsplit=1)[1] for line in made.files[""].splitlines() if line.startswith("    ")]


#: Literals of Ruby, and their text: as `ruby -e 'p(...)'` has them.
LITERALS = (
    (r"'a\\b'", "a\\b"), (r"'it\'s'", "it's"), (r"'C:\\'", "C:\\"), (r"'a\nb'", r"a\nb"), (r"'\d+\.\d'", r"\d+\.\d"),
    (r"%q(a\)b\\c\n)", r"a)b\c\n"), (r"%q'it\'s'", "it's"),
    (r'"a\\b\"c"', 'a\\b"c'),
    (r'"\x41\u00e9\u{42 43}\101"', "AéBCA"),
    (r'"\xc3\xa9\q"', "éq"), (r'%Q(a\)b\s)', "a)b "), ('"a\\\nb"', "ab"),
)  # fmt: skip


@pytest.mark.parametrize(("literal", "text"), LITERALS)
@pytest.mark.parametrize("importer", [Serverspec, Inspec])
def test_a_text_is_the_one_that_ruby_reads(literal, text, importer, tmp_path):
    path = tmp_path / "x_spec.rb"
    path.write_text(f"describe command('x') do its(:stdout) {{ should eq {literal} }} end\n")
    made = importer().read(path)
    assert made.left == []
    assert f'    Then the command "x" prints exactly {in_quotes(text)}\n' in made.files[""]


@pytest.mark.parametrize("literal", [r'"\M-a"', r'"\C-a"', r'"\xff"', r'"\u{110000}"', r'"\ud800"'])
def test_a_text_that_is_none_here_is_left(literal, tmp_path):
    (left,) = spec(tmp_path, f"describe command('x') do its(:stdout) {{ should eq {literal} }} end\n").left
    assert literal in left.words


@pytest.mark.parametrize("table", [PLAIN, GIVEN, EQUAL, CONTAINS, MATCHES, ONE_OF])
def test_each_matcher_is_a_sentence_and_so_is_its_negation(table):
    for kind, matchers in table.items():
        for matcher, pair in matchers.items():
            for words in pair:
                sentence = _rspec_tables.filled(words, NAMES.get(kind, "x"), VALUES.get(matcher, "/abc"))
                assert fault(sentence) == "", sentence
            assert pair[0] != pair[1]
    for (kind, _, _), words in COMPARED.items():
        assert fault(_rspec_tables.filled(words, NAMES.get(kind, "x"), 5)) == ""


def test_a_spec_is_carried_over_and_holds_on_this_machine(tmp_path):
    done = forked.run(["import", "serverspec", str(DATA / "serverspec" / "web_spec.rb")], cwd=tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "24 claims carried over\n")
    assert "  Scenario: its files: and folders: file /tmp\n" in done.stdout
    (tmp_path / "web.feature").write_text(done.stdout)
    check = forked.run(["check", "--host", "local", "web.feature", "--timeout", "60s"], cwd=tmp_path)  # fmt: skip
    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize(
    "claim",
    [
        "its('mode', :if => os.linux?) { should cmp '0640' }",
        "it 'x', :if => os[:family] == 'redhat' do should exist end",
        "it 'x', skip: true do should exist end",
        "it 'x', :slow do should exist end",
        "it :skip do should exist end",
    ],
)
def test_a_claim_with_conditions_or_tags_is_left(claim, tmp_path):
    made = spec(tmp_path, f"describe file('/x') do\n {claim}\n it('y') {{ should exist }}\nend\n")
    assert [(one.line, one.words.partition(", which")[0]) for one in made.left] == [
        (2, "file: it has conditions or tags behind it")
    ]
    assert made.carried == 1


@pytest.mark.parametrize("given", ["[]", "['']", "['a,b']", "[5]", "'root'"])
def test_what_is_one_of_no_texts_that_a_sentence_lists_is_left(given, tmp_path):
    made = spec(tmp_path, f"describe file('/x') do its('owner') {{ should be_in {given} }} end\n")
    assert (made.carried, len(made.left)) == (0, 1)


def test_what_is_no_plain_claim_is_left_with_its_line_and_the_rest_is_carried():
    made = Serverspec().read(DATA / "serverspec" / "left_spec.rb")
    assert made.carried == 1
    assert '    Then the file "/etc/x" has mode "0640"\n' in made.files[""]
    assert [(one.line, one.words.partition(": ")[0]) for one in made.left] == [
        (2, "no plain describe block"), (3, "no plain describe block"),
        (8, "it has no subject, or conditions behind it"),
        (11, "something is put into it"), (15, "file"), (16, "file"), (17, "file"), (18, "file"), (19, "file"),
        (25, "command"), (26, "command"), (29, "cgroup"),
    ]  # fmt: skip
    words = " | ".join(one.words for one in made.left)
    for part in (
        "be_readable.by",
        "a pattern of grep's",
        "flags 'x'",
        "about another thing",
        "across lines",
        "cpuset",
    ):
        assert part in words, part


def test_controls_are_carried_over_with_their_titles_and_what_hangs_on_a_condition_is_left():
    made = Inspec().read(DATA / "inspec" / "base.rb")
    assert made.files[""].splitlines()[2:] == [
        "", "  @critical", "  Scenario: Accounts are ours: user root", '    Then the user "root" has uid 0',
        '    And the user "root" is in the group "root"',
        '    And the user "root" does not have the shell "/bin/false"',
        "", "  @critical", "  Scenario: Accounts are ours: file /etc/passwd",
        '    Then the file "/etc/passwd" has mode "0644"',
        '    And the file "/etc/passwd" is owned by "root"', '    And the file "/etc/passwd" is more than 10 B in size',
    ]  # fmt: skip
    assert [one.line for one in made.left] == [18, 21, 24, 27, 28]
    assert "hangs on the condition in line 27" in made.left[0].words


def test_the_impact_of_a_control_is_a_severity_and_one_that_is_not_written_out_is_told(tmp_path):
    path = tmp_path / "x.rb"
    body = "describe group('g') do it { should exist } end"
    impacts = ("0.0", "0.39", "0.4", "'low'", ":high", "nil", "1.1", "input('x')", "'dire'")
    path.write_text("".join(f"control 'c{at}' do {body}; impact {each}; end\n" for at, each in enumerate(impacts)))
    made = Inspec().read(path)
    lines = made.files[""].splitlines()
    tags = [lines[at - 1].strip() for at, line in enumerate(lines) if line.startswith("  Scenario:")]
    assert tags == ["@warning", "@warning", "@critical", "@warning", "@critical", "", "", "", ""]
    assert [one.line for one in made.left] == [6, 7, 8, 9]
    assert "impact" in made.left[1].words


@pytest.mark.parametrize(
    ("of", "text", "note"),
    [
        ("stdout", '"hi\\n"', "line breaks at the end"), ("stdout", "'hi'", "line breaks at the end"),
        ("stdout.chomp", "'hi'", "line breaks at the end"), ("stdout.strip", "'hi'", "blanks around"),
    ],
)  # fmt: skip
def test_what_a_command_prints_is_carried_over_and_what_its_ends_are_worth_is_noted(of, text, note, tmp_path):
    made = spec(tmp_path, f"describe command('x') do its('{of}') {{ should eq {text} }} end\n")
    assert made.left == []
    assert made.files[""].endswith('    Then the command "x" prints exactly "hi"\n')
    assert [note in one.words for one in made.notes] == [True]


@pytest.mark.parametrize(
    "claim",
    ["its('stdout') { should eq \"\\n\" }", "its('stdout') { should eq \"a\\nb\\n\" }",
     "its('stdout.strip') { should_not eq 'hi' }", "its('stdout.strip') { should eq ' hi' }",
     "its('stdout.chomp') { should eq \"hi\\n\" }"],
)  # fmt: skip
def test_what_a_command_prints_is_told_where_no_sentence_says_it(claim, tmp_path):
    made = spec(tmp_path, f"describe command('x') do {claim} end\n")
    assert (made.carried, len(made.left), made.notes) == (0, 1, [])


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("describe port(53) do it { should be_listening.with('udp') } end", ["port 53/udp is listening"]),
        ("describe port(53) do it { should_not be_listening } end",
         ["port 53 is not listening", "port 53/udp is not listening"]),
        ("describe package('x') do it { should be_installed.with_version('1.2') } end",
         ['the package "x" has version "1.2"']),
        ("describe host('db') do it { should be_reachable.with(port: 22, proto: 'tcp') } end",
         ['the address "tcp://db:22" is reachable from the host']),
        ("describe file('/x') do its(:content) { should match /a.b$/mi } end", ['the file "/x" matches "(?ims)a.b$"']),
        ("describe file('/x') do its(:content) { should match %r{a/b} } end", ['the file "/x" matches "(?m)a/b"']),
        ("describe file('/x') do its(:content) { should include \"{param.x} \\\"q\\\"\" } end",
         [r'the file "/x" contains "{{param.x} \"q\""']),
        ("describe linux_kernel_parameter('vm.swappiness') do its(:value) { should eq 10 } end",
         ['the sysctl "vm.swappiness" is "10"']),
        ("describe package('x') do its('version') { should cmp >= '1.0' } end",
         ['the package "x" has at least version "1.0"']),
        ("describe file('/x') do it { should_not exist } end",
         ['the file "/x" does not exist', 'the directory "/x" does not exist']),
        ("describe directory('/srv') do it { should exist } end", ['the directory "/srv" exists']),
        ("describe file('/srv') do\n it { should be_directory }\n it { should be_mode 755 }\nend",
         ['the directory "/srv" exists', 'the directory "/srv" has mode "0755"']),
        ("describe service('x') do\n it { should be_enabled }\n it { should be_running }\nend",
         ['the service "x" is enabled', 'the service "x" is running']),
    ],
)  # fmt: skip
def test_forms_by_hand(tmp_path, text, sentences):
    assert said(tmp_path, text) == sentences


#: Claims of one line, and their sentences.
LINES = (
    ("port(80)", "be_listening.on('127.0.0.1')", 'port 80 is listening at "127.0.0.1"'),
    ("port(53)", "be_listening.on('::1').with('udp')", 'port 53/udp is listening at "::1"'),
    ("port(80)", "be_listening.with('tcp6')", "port 80 is listening at an IPv6 address"),
    ("cron", "have_entry '30  2 * * * /bin/backup --all'", 'the cron job "/bin/backup --all" runs at "30 2 * * *"'),
    ("cron", "have_entry('@daily /x')", 'the cron job "/x" runs at "@daily"'),
    ("file('/x')", r"contain('port=1+').from(/^\[a\]/).to(/^\[b\]$/)",
     r'the file "/x" has a line matching "port=1\+" between "[a]" and "[b]"'),
    ("file('/x')", "be_mounted.with(type: 'ext4')", 'the mount "/x" is of type "ext4"'),
    ("file('/x')", "be_mounted", 'the mount "/x" exists'),
    ("file('/x')", "be_readable.by_user('www')", 'the file "/x" is readable by the user "www"'),
    ("service('w')", "be_running.under('supervisor')", 'the supervisor program "w" is running'),
    ("service('w')", "be_running.under('systemd')", 'the service "w" is running'),
    ("package('r')", "be_installed.by('pip').with_version('2.3')", 'the pip package "r" has version "2.3"'),
    ("npm('r')", "be_installed", 'the npm package "r" is installed'),
    ("ppa('owner/tool')", "exist", 'the package repository "ppa:owner/tool" exists'),
    ("yum.repo('epel')", "be_enabled", 'the package repository "epel" is enabled'),
    ("host('db')", "be_reachable.with(port: 5432, timeout: 1)",
     'the address "tcp://db:5432" is reachable in less than 1 s from the host'),
    ("host('db')", "be_resolvable.by('dns')", 'the name "db" has at least 1 A records from the host'),
    ("x509_certificate('/x')", "be_valid", 'the certificate file "/x" is valid'),
    ("x509_private_key('/k')", "have_matching_certificate('/c')",
     'the private key file "/k" belongs to the certificate file "/c"'),
    ("user('d')", "have_authorized_key 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'",
     'the user "d" may log in with the key "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"'),
    ("os.family", "eq 'redhat'", 'the host is of the family "rhel"'),
    ("os.arch", "eq 'x86_64'", 'the host has the architecture "x86_64"'),
    ("sys_info.hostname", "eq 'web-1'", 'the host has the hostname "web-1"'),
    ("iptables", "have_rule('-P INPUT DROP')", 'the iptables chain "INPUT" of "filter" has the policy "DROP"'),
    ("iptables", "have_rule('-A X -j ACCEPT').with_table('nat')",
     'the iptables chain "X" of "nat" has the rule "-j ACCEPT"'),
    ("ip6tables", "have_rule('-j DROP').with_chain('X')", 'the ip6tables chain "X" of "filter" has the rule "-j DROP"'),
    ("docker_container(name: 'c')", "be_running", 'the container "c" is running'),
    ("docker_container('c')", "have_volume('/data', '/srv')", 'the container "c" has "/data" mounted from "/srv"'),
    ("routing_table", "have_entry(destination: '10.0.0.0/8', gateway: '10.1.0.1')",
     'the route to "10.0.0.0/8" goes by "10.1.0.1"'),
    ("firewalld", "have_port_enabled_in_zone('443/tcp', 'public')", 'the firewalld zone "public" allows port 443'),
    ("firewalld", "have_service_enabled_in_zone('ssh', 'dmz')", 'the firewalld zone "dmz" allows the service "ssh"'),
    ("selinux", "be_enforcing", "SELinux is enforcing"),
    ("file('/x')", "be_more_permissive_than('0640')", 'the file "/x" does not have at most mode "0640"'),
)  # fmt: skip
#: As these, of properties.
PROPERTIES = (
    ("host('db')", "ipaddress", "eq '10.0.0.2'", 'the name "db" resolves to "10.0.0.2" from the host'),
    ("host('db')", "ipaddress", "include '10.0.0.2'", 'the name "db" resolves to "10.0.0.2" from the host'),
    (
        "x509_certificate('/x')",
        "validity_in_days",
        "be > 30",
        'the certificate file "/x" is valid for more than 30 days',
    ),
    ("x509_certificate('/x')", "keylength", "be >= 2048", 'the certificate file "/x" has a key of at least 2048 bits'),
    ("sshd_config", "PermitRootLogin", "eq 'no'", 'the configuration of "sshd" has "permitrootlogin" equal to "no"'),
    ("interface('eth0')", "speed", "eq 1000", 'the interface "eth0" has a speed of exactly 1000 Mbit/s'),
    ("default_gateway", "ipaddress", "eq '10.0.0.1'", 'the default route goes by "10.0.0.1"'),
    ("firewalld", "default_zone", "eq 'public'", 'firewalld has the default zone "public"'),
    ("process('n')", "user", "eq 'root'", 'the process "n" runs as "root"'),
    ("file('/x')", "group", "be_in ['root', 'adm']", 'the file "/x" belongs to one of the groups "root, adm"'),
    ("file('/x')", "mode", "be_in [0640, '0600']", 'the file "/x" has one of the modes "0640, 0600"'),
    ("docker_container('c')", "image", "eq 'redis:7'", 'the container "c" runs the image "redis:7"'),
)


@pytest.mark.parametrize("subject, matcher, sentence", LINES)
def test_claims_of_one_line_by_hand(tmp_path, subject, matcher, sentence):
    assert said(tmp_path, f"describe {subject} do it {{ should {matcher} }} end\n") == [sentence]
    made = spec(tmp_path, f"describe {subject} do it {{ should_not {matcher} }} end\n")
    assert sentence not in "".join(made.files.values())  # its negation, or nothing


@pytest.mark.parametrize("subject, name, matcher, sentence", PROPERTIES)
def test_properties_by_hand(tmp_path, subject, name, matcher, sentence):
    assert said(tmp_path, f"describe {subject} do its('{name}') {{ should {matcher} }} end\n") == [sentence]


@pytest.mark.parametrize(
    "subject, matcher",
    [
        ("host('db')", "be_reachable.with(port: 22, timeout: 'x')"), ("port(80)", "be_listening.on('0.0.0.0').of('x')"),
        ("file('/x')", "contain('a').from(/x/).to(/^y/)"), ("file('/x')", "contain('a').after(/^x$/)"),
        ("file('/x')", "contain('a').from(/^x/).to(/^y$/)"), ("file('/x')", "contain('a').from(/^x$/).to(/^y/)"),
        ("file('/x')", "be_mounted.only_with(type: 'ext4')"), ("service('w')", "be_running.under('god')"),
        ("cron", "have_entry 'MAILTO=root'"), ("iptables", "have_rule('-j DROP')"),
        ("cron('root')", "have_entry '@daily /x'"),
        ("iptables", "have_rule('-A X -j DROP').with_chain('Y')"), ("selinux('x')", "be_enforcing"),
        ("firewalld", "have_port_enabled_in_zone('443/tcp')"), ("routing_table", "have_entry(gateway: '10.0.0.1')"),
    ],
)  # fmt: skip
def test_what_would_be_another_claim_here_is_left(tmp_path, subject, matcher):
    made = spec(tmp_path, f"describe {subject} do it {{ should {matcher} }} end\n")
    assert (made.carried, len(made.left)) == (0, 1)


def test_what_is_looked_at_otherwise_is_noted(tmp_path):
    text = "describe cron do it { should have_entry '@daily /x' } end\n"
    (told,) = spec(tmp_path, text).notes
    assert "all tables of cron" in told.words


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("json('/x.json') do its('a.b') { should eq 'c' } end", ['the file "/x.json" has "a.b" equal to "c"']),
        ("json('/x.json') do its(['a.b', 0, '*']) { should_not cmp 80 } end",
         [r'the file "/x.json" has "a\.b.[0].\*" not equal to "80"']),
        ("yaml('/x.yml') do its('a') { should match /^v\\h+$/i } end",
         ['the file "/x.yml" has "a" matching "(?im)^v[0-9a-fA-F]+$"']),
        ("yaml('/x.conf') do its('a') { should include 'b' } end",
         ['the file "/x.conf" as YAML has "a" containing "b"']),
        ("ini('/x.ini') do its('a.b') { should eq true } end", ['the file "/x.ini" has "a.b" equal to "true"']),
        ("toml('/x.toml') do its('a') { should cmp >= 5 } end", ['the file "/x.toml" has "a" at least 5']),
        ("json('/x.json') do its('a') { should be_nil } end", ['the file "/x.json" has no "a"']),
        ("json('/x.json') do its('a') { should_not eq nil } end", ['the file "/x.json" has "a" not equal to "null"']),
        ("json({command: 'ip -j addr'}) do its([0, 'mtu']) { should be < 9001 } end",
         ['the command "ip -j addr" prints JSON with "[0].mtu" less than 9001']),
        ("json(command: 'x') do its('a') { should be_nil } end", ['the command "x" prints JSON without "a"']),
        ("command('x') do its('stderr') { should eq '' } end", ['the command "x" prints nothing to standard error']),
        ("command('x') do its('stdout') { should_not eq '' } end", ['the command "x" prints something']),
    ],
)  # fmt: skip
def test_documents_and_empty_texts_by_hand(tmp_path, text, sentences):
    assert said(tmp_path, f"describe {text}") == sentences
    assert [fault(each) for each in sentences] == [""]


@pytest.mark.parametrize(
    "text", ["its('a') { should_not cmp > 5 }", "it { should exist }", "its('a') { should eq '' }"]
)
def test_what_is_no_sentence_about_a_document_is_left(tmp_path, text):
    made = spec(tmp_path, f"describe json('/x.json') do\n {text}\nend\n")
    assert (made.carried, len(made.left)) == (0, 1)


#: Patterns with what Ruby alone has, and texts that some of them fit.
PATTERNS = (
    r"\h{2}$", r"^[\h:]+$", r"^\H+$", r"b\Z", r"\Ab\z", r"^\u00e9$", r"^[\u00e9x]$", r"^\u{e9 78}$", r"^[^\h\]]$",
    r"\\h", r"\e\[0m", r"a\sb", r"a[\s]b", r"^\[\h\]$",
)  # fmt: skip
TEXTS = ("", "ab", "b", "b\n", "b\n\n", "é", "éx", "xyz", "G", "]", "\\h", "de:ad", "\x1b[0m", "a\x0bb", "[f]", "x\nb")


def test_patterns_fit_what_they_fit_in_ruby(tmp_path):
    lines = "\n".join(
        f"puts [{', '.join(map(json.dumps, TEXTS))}].map {{ |t| t =~ /{each}/ ? 1 : 0 }}.join" for each in PATTERNS
    )
    (tmp_path / "fits.rb").write_text(lines)
    done = subprocess.run(["ruby", "-Ku", tmp_path / "fits.rb"], capture_output=True, text=True, check=True)
    ours = [
        "".join(str(int(compiled(f"(?m){as_re2(each)}").search(text.encode()) is not None)) for text in TEXTS)
        for each in PATTERNS
    ]
    assert ours == done.stdout.split()
    assert all("1" in each for each in ours), ours


@pytest.mark.parametrize("pattern", [r"\Ga", r"a\K", r"\R", r"\X", r"[\H]", r"[\Z]"])
def test_a_pattern_that_re2_has_not_is_left(tmp_path, pattern):
    (left,) = spec(tmp_path, f"describe file('/x') do its(:content) {{ should match /{pattern}/ }} end\n").left
    assert "is not read here" in left.words


def test_ruby_is_read_and_never_run(tmp_path):
    made = spec(tmp_path, f"describe file(`touch {tmp_path}/ran`) do it {{ should exist }} end\nsystem('touch ran')\n")
    assert (made.carried, [one.line for one in made.left]) == (0, [1, 2])
    assert [path.name for path in tmp_path.iterdir()] == ["x_spec.rb"]


@pytest.mark.parametrize(
    "text, words",
    [("describe file('/x' do\n", "it is not read as Ruby"), ("require 'x'\n", "describes nothing"), ("", "nothing")],
)
def test_what_is_no_ruby_or_describes_nothing_is_refused(tmp_path, text, words):
    with pytest.raises(UserError, match=words):
        spec(tmp_path, text)


def test_folders(tmp_path):
    with pytest.raises(UserError, match="holds no files named"):
        Serverspec().read(tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        Inspec().read(tmp_path / "nosuch.rb")
    (tmp_path / "controls").mkdir()
    (tmp_path / "controls" / "a.rb").write_text("describe group('root') do it { should exist } end\n")
    assert Inspec().read(tmp_path).carried == 1
