"""Our reader of Ansible inventories against the real `ansible-inventory`: groups and variables of every host.

Where ours refuses what Ansible takes, it must say so; where Ansible refuses, ours must not read it otherwise.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.inventories.ansible import answered, sources
from infratest.inventories.ansible.tree import Tree
from infratest.testing.inventories import written
from tests.worlds import ansible_core

INI = """\
# c
lonely ansible_port=2222
[web]
web[01:03] ansible_user=admin   # comment
"quoted" note="a b" x='1' y=0644 z=1.5 t=true n=None l="[1,2]"
[2001:db8::1]:2200 foo=bar
10.0.0.1:2022
[db]
db-[a:c:2].example
[shop:children]
web
db
[shop:vars]
env = prod
ansible_ssh_common_args=-o ProxyJump=gate -o StrictHostKeyChecking=no
num=5
[all:vars]
ansible_user=root
"""
YAML = """\
all:
  hosts:
    a: {x: yes, y: 0644, z: 1:30, d: 2020-01-01, n: ~, e: 1e3, f: 1.5, g: .5, h: 0x1F, i: 1_000, j: off, k: No, l: n}
    b[1:2]:
      p: 1
    c:2200:
    '[2001:db8::1]:2201': {ansible_port: 2202}
  vars: {v: all}
  children:
    web:
      hosts: {a: , d: }
      vars: {v: web}
      children: {sub: {hosts: {e: }}}
other:
  hosts: f
"""
SCRIPT = """\
#!/bin/sh
echo '{"web": {"hosts": ["a", "b"], "vars": {"x": 1}}, "l": ["c"], "p": {"children": ["web"]},'
echo '"_meta": {"hostvars": {"a": {"y": 2}, "of-no-group": {"q": 1}}}}'
"""
VALUES = (
    "a n1=1 n2=-1 n3=0x10 n4=1e3 n5=1_000 n6=010 b1=True b2=false s1='it is' s2=\"x # y\" s3=a#b e= t=(1,2) u=x=y\n"
    "b # comment\nc\n'd e' x=1\n"
)
SECTION = "[g]\na\n[g:vars]\nn = 1\ns = it is # no comment\nq = 'quoted'\nt = [1, 2]\ne =\n x = spaced \n"
ADDRESSES = "2001:db8::1\n[2001:db8::2]:22\n192.0.2.1:23\nx_y:24\nfoo.example.com:25\n::1\nuser@host\n-dash\nü\n"
DEPTH = (
    "a x=host\n[g1]\na\n[g2]\na\n[top:children]\ng1\ng2\n[g1:vars]\nv=g1\nw=g1\n[g2:vars]\nv=g2\n[top:vars]\nv=top\n"
    "t=top\n[all:vars]\nv=all\nu=all\nx=all\n"
)
ORDER = "[g]\na v=inline\nb\n[g:vars]\nv=gi\nw=gi\n[all:vars]\nw=ai\nz=ai\ny=ai\n"
FILES = {
    "group_vars/all.yml": "w: af\nz: af\nv: af\n", "group_vars/g.yaml": "w: gf\n", "host_vars/b/1": "q: 1\nr: 1\n",
    "host_vars/b/2.yml": "r: 2\n", "host_vars/b/3.txt": "r: 3\n", "host_vars/b/sub/x.json": '{"s": 4}',
}  # fmt: skip
FOLDER = {
    "i/1": "a\n[g]\nb v=1\n", "i/2.yml": "g: {hosts: {b: {v: 2}, c: }}\n", "i/3.ini": "d\n", "i/4.md": "x\n",
    "i/5.cfg": "x\n", "i/.h": "x\n", "i/sub/6": "e\n", "i/sub/group_vars/g": "n: 1\n", "i/group_vars/g": "m: 1\n",
    "i/host_vars/e": "h: 1\n", "i/7.json": '{"k": {"hosts": {"z": null}}}', "i/8": SCRIPT,
}  # fmt: skip

#: Name -> files, and the inventory among them (`h` by default), that must be read alike.
ALIKE: dict[str, dict[str, str]] = {
    "ini": {"h": INI, "group_vars/web": "---\nansible_become: yes\n", "host_vars/lonely.yml": "ansible_host: h7\n"},
    "values of hosts": {"h": VALUES},
    "values of sections": {"h": SECTION},
    "ranges": {"h": "a[1:3]\nb[001:003]\nc[a:e:2]\nd[0:10:5].x[a:b]\ne[:2]\nf[1:3]:2200\nG[A:C]\nh[y:B]\n"},
    "addresses": {"h": ADDRESSES},
    "groups by depth": {"h": DEPTH},
    "groups by priority": {"h": "[g1]\na\n[g2]\na\n[g1:vars]\nv=1\nansible_group_priority=10\n[g2:vars]\nv=2\n"},
    "a child of two": {"h": "[c]\nx\n[b:children]\nc\n[a:children]\nb\nc\n[a:vars]\nv=a\n[b:vars]\nv=b\n"},
    "files over lines": {"h": ORDER, **FILES},
    "variables before their group": {"h": "[g:vars]\nx=1\n[g]\na\n"},
    "ungrouped": {"h": "[ungrouped]\na\n[all]\nb\n[g]\na\n[ungrouped:vars]\nx=1\n", "group_vars/ungrouped": "y: 1\n"},
    "a host twice": {"h": "a x=1\n[g]\na x=2\n[h]\na\n"},
    "comments": {"h": "; x\n[g]   # hello\na ;x=1\n[h:children] # x\ng # y\n".replace(" ;x=1", "")},
    "line ends": {"h": "[g]\r\na x=1\r\n[g:vars]\r\ny=2\r\n"},
    "a group named as its host": {"h": "[web]\nweb\n", "group_vars/web": "x: 1\n", "host_vars/web": "y: 1\n"},
    "a group without hosts": {"h": "[g]\n[g:vars]\nx=1\n[h]\na\n", "group_vars/g": "z: 1"},
    "two files of a group": {"h": "[g]\na\n", "group_vars/g.yml": "x: yml\n", "group_vars/g": "x: plain\n"},
    "a file and a folder": {"h": "[g]\na\n", "group_vars/g.yml": "x: yml\n", "group_vars/g/1.yml": "x: folder\n"},
    "empty files of variables": {"h": "[g]\na\n", "group_vars/g.yml": "", "host_vars/a": "---\n"},
    "yaml": {"h.yml": YAML},
    "yaml by its beginning": {"h": "---\nall:\n  hosts:\n    a:\n"},
    "yaml by its first line": {"h": "# x\nall:\n  hosts:\n    a:\n"},
    "yaml with aliases": {"h.yml": "x: &v {vars: {q: 1}}\nall: {hosts: {a: {<<: {z: 1}}}}\n"},
    "a group that says nothing": {"h.yml": "web:\nall: {hosts: {a: }}\n"},
    "json": {"h.json": '{"all": {"hosts": {"a": {"x": 1}}}}'},
    "a program": {"h": SCRIPT, "group_vars/web.yml": "k: 1\n"},
    "a folder": FOLDER,
}  # fmt: skip
#: Read by neither.
REFUSED: dict[str, dict[str, str]] = {
    "range of other lengths": {"h": "a[01:2]\n"},
    "range without an end": {"h": "a[1:]\n"},
    "a word that is no variable": {"h": "a x\n"},
    "a section of no kind": {"h": "[a:foo]\nx\n"},
    "a section with a blank": {"h": "[a b]\nx\n"},
    "variables of no group": {"h": "a\n[g:vars]\nx=1\n"},
    "a child that is no group": {"h": "a\n[g:children]\nh\n"},
    "a circle": {"h": "[a:children]\nb\n[b:children]\na\n[b]\nx\n"},
    "a list": {"h.yml": "- a\n"},
    "hosts as a list": {"h.yml": "all:\n  hosts: [a]\n"},
    "numbers for names": {"h.yml": "1: {hosts: {2: {3: 4}}}\n"},
    "two documents": {"h.yml": "---\nall: {hosts: {a: }}\n---\nall: {hosts: {b: }}\n"},
    "a program that fails": {"h": "#!/bin/sh\nexit 3\n"},
    "a program that is cut": {"h": '#!/bin/sh\necho \'{"web": {"hosts": ["a"\'\n'},
    "a folder with one bad file": {"i/1": "a\n", "i/2.yml": "- x\n"},
}
#: Ansible reads these, mostly with a warning, or other hosts than are meant; ours says what it does not know.
STRICTER: dict[str, tuple[dict[str, str], str]] = {
    "a range that is empty": ({"h": "a[3:1]\n"}, "no range of hosts"),
    "odd signs": ({"h": "a/b\n"}, "'a/b' is no name of a host that is known here"),
    "no port": ({"h": "a:99999\n"}, "99999 is no port"),
    "a colon": ({"h": "a:\nb\n"}, "h:3: this is no YAML: while scanning a simple key, could not find expected"),
    "a key of no kind": ({"h.yml": "all:\n  hosts:\n    a:\n  foo: 1\n"}, "'foo' is none of hosts, children, vars"),
    "a key twice": ({"h.yml": "all:\n  hosts:\n    a: {x: 1}\n    a: {x: 2}\n"}, "found duplicate key"),
    "no _meta": ({"h": '#!/bin/sh\necho \'{"web": {"hosts": ["a"]}}\'\n'}, "has no _meta"),
    "toml": ({"h.toml": "[web]\n"}, "is TOML, which is not read here"),
    "a plugin": ({"h.yml": "plugin: amazon.aws.aws_ec2\n"}, "the inventory plugin 'amazon.aws.aws_ec2'"),
    "a vault": ({"h": "a\n", "host_vars/a": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"}, "is in a vault as a whole"),
    "not executable": ({"h": " #!/bin/sh\n".strip() + "\n"}, "may not be executed"),
}


def place(folder: Path, files: dict[str, str]) -> Path:
    written(folder, files)
    return folder / next(iter(files)).partition("/")[0]


def view(tree: Tree) -> dict[str, Any]:
    """Return the groups and variables of every host; of Ansible's own variables those that say the way alone."""
    return {
        host.name: (
            sorted(group.name for group in tree.groups_of(host.name)),
            {key: value for key, value in tree.variables(host).items() if key != "ansible_group_priority"},
        )
        for host in tree.hosts.values()
    }


def ours(path: Path) -> Tree:
    tree = Tree()
    sources.read(path, tree, Deadline(30))
    view(tree)
    return tree


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any] | None]]:
    """What the real one says of each, asked in one go."""
    folder = tmp_path_factory.mktemp("inventories")
    every = ALIKE | REFUSED
    places = [place(folder / str(number), files) for number, files in enumerate(every.values())]
    return dict(zip(every, zip(places, ansible_core.listed(places), strict=True), strict=True))


@pytest.mark.parametrize("name", ALIKE)
def test_every_host_has_the_same_groups_and_variables(answers, name):
    path, theirs = answers[name]
    assert theirs is not None
    tree = Tree()
    answered.read(theirs, tree, "theirs")
    assert view(tree) != {}
    assert json.loads(json.dumps(view(ours(path)))) == json.loads(json.dumps(view(tree)))


@pytest.mark.parametrize("name", REFUSED)
def test_what_ansible_refuses_is_not_read_here(answers, name):
    path, theirs = answers[name]
    assert theirs is None
    with pytest.raises(InfratestError):
        ours(path)


@pytest.mark.parametrize("name", STRICTER)
def test_what_is_not_known_here_is_refused_by_name(tmp_path, name):
    files, words = STRICTER[name]
    path = place(tmp_path, files)
    if name == "not executable":
        path.chmod(0o644)
    with pytest.raises(InfratestError) as caught:
        ours(path)
    assert words in str(caught.value)
