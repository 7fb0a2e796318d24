"""Templates of goss files filled as Go's text/template fills them; what comes of each is written by hand.

The cases are of pkg.go.dev/text/template, of Sprig's pages and of goss' own about templates.
"""

from __future__ import annotations

import pytest

from infratest.errors import UserError
from infratest.importers.goss import Goss
from infratest.importers.goss.template import filled

VALUES = {
    "web": {"name": "nginx", "ports": [80, 443], "tls": True},
    "users": {"zoe": 1002, "ada": 1001},
    "none": None,
    "empty": [],
    "ratio": 1.5,
}
ENVIRONMENT = {"OS": "debian12"}

#: Template -> what it is filled to.
FILLED = {
    "a {{.Vars.web.name}} b": "a nginx b",
    "{{.Env.OS}} {{$.Vars.web.tls}} {{.Vars.ratio}}": "debian12 true 1.5",
    "a\n{{- /* a comment with }} in it */ -}}\nb": "ab",
    'a {{- "b" -}} c {{"{{"}} {{`"}}`}}': 'abc {{ "}}',
    "{{-3}}": "-3",
    "{{if .Vars.web.tls}}yes{{else}}no{{end}}": "yes",
    "{{if .Vars.empty}}1{{else if eq .Env.OS `alpine` `debian12`}}2{{else}}3{{end}}": "2",
    "{{if .Vars.none}}1{{else if false}}2{{else}}3{{end}}": "3",
    "{{range .Vars.web.ports}}{{.}};{{end}}": "80;443;",
    "{{range $name, $uid := .Vars.users}}{{$name}}={{$uid}} {{end}}": "ada=1001 zoe=1002 ",
    "{{range $at, $port := .Vars.web.ports}}{{$at}}:{{$port}} {{end}}": "0:80 1:443 ",
    "{{range .Vars.empty}}x{{else}}none{{end}}": "none",
    "{{range $x := .Vars.none}}x{{end}}.": ".",
    "{{range until 3}}{{.}}{{end}}": "012",
    "{{with .Vars.web}}{{.name}} {{$.Env.OS}}{{end}}{{with .Vars.none}}x{{else}}-{{end}}": "nginx debian12-",
    "{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}": "2",
    "{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}": "21",
    '{{range mkSlice "A" "b"}}{{. | toLower}},{{end}}': "a,b,",
    '{{"hi!" | upper | repeat 3}}': "HI!HI!HI!",
    '{{index .Vars "web" "ports" 1}} {{(index .Vars "web").name}} {{len .Vars.web.ports}}': "443 nginx 2",
    '{{.Env.OS | regexMatch "^(debian|ubuntu)[0-9]+$"}} {{regexMatch "x" .Env.OS}}': "true false",
    '{{printf "%s-%03d %q %v%%" "a" 7 "b" true}}': 'a-007 "b" true%',
    '{{.Vars.none | default "x" | quote}} {{list "a" "b" | join "+"}}': '"x" a+b',
    '{{and true "" 1}}.{{or 0 "b"}}.{{not 0}}.{{ne 1 2}}.{{lt 1 2.5}}.{{ge "b" "a"}}': ".b.true.true.true.true",
    '{{getEnv "INFRATEST_NO_SUCH" "other"}} {{add 1 2 3}} {{sub 5 2}} {{trimSuffix ".conf" "a.conf"}}': "other 6 3 a",
    '{{ternary "a" "b" true}} {{replace "." "-" "1.2"}} {{has 80 .Vars.web.ports}} {{"\\tb\\x41"}}': "a 1-2 true \tbA",
}  # fmt: skip


@pytest.mark.parametrize("text", FILLED)
def test_a_template_is_filled_as_go_fills_it(text):
    assert filled(text, "goss.yaml", VALUES, ENVIRONMENT)[0] == FILLED[text]


#: Template -> what its refusal says.
REFUSED = {
    "a\n{{.Vars.nosuch}}": r"^goss.yaml:2: \{\{.Vars.nosuch}}: nosuch: --vars FILE has it not$",
    "{{.Env.NOSUCH}}": "the environment has no such variable",
    "{{.Vars.web.nosuch}}": "nosuch: --vars FILE has it not",
    "{{with .Vars.web}}{{.nosuch}}{{end}}": "nosuch: there is nothing of that name",
    '{{index .Vars "nosuch" "x"}}': "there is no 'x' in None",
    "{{.Vars.web}}": "a map is no value of one line",
    "{{.Vars.none}}": "None is no value of one line",
    '{{"a\\nb"}}': "no value of one line",
    "\n{{if true}}\n": "goss.yaml:2: .*it has no end",
    "{{end}}": "nothing that it belongs to",
    "{{if true}}{{else}}a{{else}}b{{end}}": "nothing that it belongs to",
    "{{if false}}{{uuidv4}}{{end}}": "function uuidv4 is not known here",
    '{{readFile "/etc/passwd"}}': "function readFile is not known here",
    '{{define "x"}}{{end}}': "such an action",
    "{{.Vars.web": "such an action",
    "{{}}": "such an action",
    "{{.Vars.x & 1}}": "such an action",
    "{{eq 1 `1`}}": "cannot be compared",
    "{{upper}}": "upper takes 1 values, not 0",
    "{{upper 1}}": "1 is no text",
    "{{(upper `a`}}": "a bracket is not closed",
    "{{.Vars.web.name | .Vars.web.name}}": "no function that takes a value",
    "{{range .Vars.web.name}}{{end}}": "nothing to go through",
    "{{$x}}": r"\$x is not declared",
    "{{repeat 1000000 `abc`}}": "more than 65536 characters",
    "{{range until 1000}}{{range until 1000}}{{end}}{{end}}": "more than 20000 rounds",
    "{{$x := `aaaaaaaaaaaaaaaa`}}{{range until 99}}{{$x = printf `%s%s` $x $x}}{{end}}": "more than 65536 characters",
    "{{$x := list 1}}{{range until 99}}{{$x = list $x $x}}{{end}}{{$x}}": "a list is no value",
    "{{range until 999}}{{repeat 9999 `x`}}{{end}}": "more than 1024 KiB",
    "{{" + "(" * 5000 + "1" + ")" * 5000 + "}}": "nested too deep",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_what_cannot_be_filled_is_refused_with_its_line(text):
    with pytest.raises(UserError, match=REFUSED[text]):
        filled(text, "goss.yaml", VALUES, ENVIRONMENT)


def test_each_line_that_is_refused_is_named():
    with pytest.raises(UserError) as raised:
        filled("{{nosuch 1}}\na\n{{if other}}\n{{end}}\n", "goss.yaml", VALUES, ENVIRONMENT)
    assert [line.split(": ")[0] for line in str(raised.value).splitlines()] == ["goss.yaml:1", "goss.yaml:3"]


def test_lines_are_those_of_the_file_through_loops_and_conditions(tmp_path):
    (tmp_path / "goss.yaml").write_text(
        "package:\n"
        "{{range $name, $wanted := .Vars.packages}}\n"
        "  {{$name}}:\n"
        "    installed: {{$wanted}}\n"
        "    nosuch: 1\n"
        "{{end}}\n"
        "{{- if .Vars.no }}\n"
        "  never: {installed: true}\n"
        "{{- end}}\n"
        "  last: {nosuch: 1}\n"
    )
    (tmp_path / "vars.yaml").write_text("packages: {b: true, a: false}\nno: false\n")
    made = Goss().read(tmp_path / "goss.yaml", [tmp_path / "vars.yaml"])
    assert [(remark.line, remark.words.split(":")[0]) for remark in made.left if "nosuch" in remark.words] == [
        (5, "package a"), (5, "package b"), (10, "package last"),
    ]  # fmt: skip
    assert 'the package "a" is not installed' in made.files[""]
    assert 'the package "b" is installed' in made.files[""]
    assert "never" not in made.files[""]


def test_what_comes_of_a_template_is_no_template(tmp_path):
    (tmp_path / "goss.yaml").write_text("command:\n  '{{.Vars.run}}': {exit-status: 0}\n")
    (tmp_path / "vars.yaml").write_text("run: 'echo {{.Env.HOME}}'\n")
    made = Goss().read(tmp_path / "goss.yaml", [tmp_path / "vars.yaml"])
    assert 'the command "echo {{{{.Env.HOME}}" exits 0' in made.files[""] or "{{.Env.HOME}}" in made.files[""]
