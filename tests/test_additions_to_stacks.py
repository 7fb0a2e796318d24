"""What one more provider, host option, provisioner, sender or verb costs: one file and its case; everything finds it.

Their names are of the design, and were refused as "not in this version" before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MORE = Path(__file__).parent / "data" / "additions_to_stacks"
STACK = """\
stack: s
provider: {name: proxmox, site: cellar}
hosts: {web: {cpus: 2, shelf: s7, provision: [{ansible: site.yml}]}}
features: [x.feature]
"""
FEATURE = 'Feature: f\n  Scenario: s\n    Given the hosts where "shelf=s7"\n    Then the command "true" exits 0\n'


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree and of these tests, with what is added laid over it."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("infratest", "steps", "fixtures", "features", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "additions*"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    (tree / "infratest" / "steps").symlink_to("../steps")  # where the wheel has it
    shutil.copytree(MORE, tree, dirs_exist_ok=True)
    for name, text in (("stack.yaml", STACK), ("x.feature", FEATURE), ("site.yml", "- hosts: all\n")):
        (tree / name).write_text(text)
    return tree


def ran(tree: Path, *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, text=True, timeout=200,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout
    return done.stdout


def test_each_is_one_file_and_one_case():
    files = sorted(path.relative_to(MORE).as_posix() for path in MORE.rglob("*.py"))
    assert files == [
        "infratest/cli/verbs/gate.py", "infratest/providers/proxmox.py", "infratest/provisioners/ansible.py",
        "infratest/senders/ganglia.py",
        "tests/contracts/cases/providers/proxmox.py", "tests/contracts/cases/provisioners/ansible.py",
    ]  # fmt: skip


def test_a_provider_and_its_host_options_can_be_used(tree):
    report = json.loads(ran(tree, "infratest", "test", "--format", "json").partition("\ninfratest:")[0])
    assert [(one["host"], one["state"], one["labels"]) for one in report["results"]] == [("web", "ok", {"shelf": "s7"})]
    assert "provider proxmox" in ran(tree, "infratest", "doctor")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("shelf: s7", "address: 192.0.2.1", "stack.yaml:3: hosts.web.address: this key is for `provider: cloud` or"),
        ("shelf: s7", "shelf: top", "stack.yaml:3: hosts.web.shelf: found 'top', allowed is text"),
        ("site: cellar", "sight: cellar", "stack.yaml:2: provider.sight: unknown key 'sight': did you mean 'site'?"),
        ("ansible: site.yml", "ansible: none.yml", "hosts.web.provision[0].ansible: there is no file none.yml"),
        ("ansible: site.yml", "ansble: site.yml", "unknown key 'ansble': did you mean 'ansible'? known are ansible,"),
        ("cpus: 2", "networks: 2", "stack.yaml:3: hosts.web.networks: not in this version"),
    ],
)  # fmt: skip
def test_what_they_cannot_have_is_refused_with_its_place(tree, before, after, words):
    (tree / "other.yaml").write_text(STACK.replace(before, after))
    text = ran(tree, "infratest", "status", "--stack", "other.yaml", status=2)
    assert words.replace("stack.yaml", "other.yaml") in text


def test_a_provisioner_can_be_used_and_is_watched(tree):
    assert "web: ansible site.yml" in ran(tree, "infratest", "provision", "--dry-run")
    assert "- hosts: all" in ran(tree, "infratest", "provision", "-v")
    code = (
        "from pathlib import Path; from infratest.stack.file import load; "
        "from infratest.project.sources import sources; path = Path('stack.yaml'); "
        "print(sources(load(path), path, ()).provisioned['web'][0].name)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "site.yml\n"


def test_a_sender_can_be_used(tree):
    (tree / "sends.yaml").write_text(f"{STACK}monitor: {{send: [{{ganglia: {{file: lines}}}}]}}\n")
    assert ran(tree, "infratest", "monitor", "send", "ganglia", "--test", "--stack", "sends.yaml") == (
        "ganglia: taken by ganglia\n"
    )
    assert (tree / "lines").read_text() == "s.-.-.-.test.state ok\ns.-.-.-.test.value 1.0\n"
    (tree / "sends.yaml").write_text(f"{STACK}monitor: {{send: [{{ganglia: {{fil: lines}}}}]}}\n")
    text = ran(tree, "infratest", "lint", "--stack", "sends.yaml", status=1)
    assert "sends.yaml:5: monitor.send[0]: ganglia: unknown key 'fil': did you mean 'file'?" in text


def test_the_schema_has_them(tree):
    schema = json.loads(ran(tree, "infratest", "schema"))["properties"]
    options = [each["then"]["properties"] for each in schema["provider"]["allOf"]]
    named = {each["name"]["const"]: each for each in options}
    assert named["proxmox"]["site"]["description"] == "Where the shelves are."
    host = schema["hosts"]["additionalProperties"]["properties"]
    assert host["shelf"]["description"] == "Where it stands."
    sent = schema["monitor"]["properties"]["send"]["items"]["properties"]
    assert sent["ganglia"]["properties"]["file"]["description"] == "Where the lines go."
    provision = host["provision"]["items"]
    assert provision["title"] == "a map with one key: ansible, file or shell"
    assert provision["properties"]["ansible"]["properties"]["playbook"]["description"] == "The playbook here."


def test_a_verb_is_in_the_help_in_its_place_and_has_its_exit_rule(tree):
    assert ran(tree, "infratest", "gate", "open") == "open\n"
    assert "open, shut" in ran(tree, "infratest", "gate", "ajar", status=3).replace("'", "")
    text = ran(tree, "infratest", "--help")
    assert re.search(r"^  gate +Open or shut\.$", text.partition("What must hold:\n")[2].partition("\n\n")[0], re.M)
    assert "Exit status of test, check, gate, monitor, heal, drill and mutate:" in text


def test_the_suites_find_their_cases(tree):
    suites = ("tests/contracts/test_providers.py", "tests/contracts/test_provisioners.py")
    text = ran(tree, "pytest", "-q", "-p", "no:cacheprovider", "-k", "proxmox or ansible", *suites)
    assert " passed" in text
    ran(tree, "pytest", "-q", "-p", "no:cacheprovider", "-k", "house_stands", "tests/test_architecture.py")
    (tree / "tests/contracts/cases/provisioners/ansible.py").unlink()
    assert "write tests/contracts/cases/provisioners/ansible.py" in ran(tree, "pytest", "-q", suites[1], status=2)
