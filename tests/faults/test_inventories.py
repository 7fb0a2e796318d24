"""Hosts of inventories, end to end: real servers, each source, each face; sources that are away, slow or too old."""

from __future__ import annotations

import json
import time

import pytest

from infratest.testing.waiting import wait_until
from tests.contracts.cases.inventories.terraform import resource, state
from tests.worlds.installed import Place, one_monitoring_line
from tests.worlds.sshd import running_sshd

FEATURE = 'Feature: f\n  Scenario: s\n    Given the hosts in group "web"\n    Then the file "/etc/passwd" exists\n'
STACK = """\
stack: s
provider: {{name: existing, agent: false, known-hosts: known_hosts, from: [{source}]}}
defaults: {{user: {user}, key: {key}, port: {port}}}
hosts: {{web-1: {{groups: [web], labels: {{role: front}}}}, web-2: {{groups: [web]}}}}
features: [f.feature]
"""
#: Source -> what stands under `from:`, and files beside the stack file.
SOURCES = {
    "ansible": ("{ansible: {path: hosts, labels: [rack]}}", {
        "hosts": "[web]\nweb-[1:2] ansible_host=127.0.0.1 rack=r{number}\n[web:vars]\nansible_connection=ssh\n",
    }),
    "ssh-config": ("{ssh-config: team}", {"team": "Host web-1 web-2\n  HostName 127.0.0.1\n"}),
    "vagrant": ("{vagrant: machines}", {
        "machines": "".join(
            f"Host {name}\n  HostName 127.0.0.1\n  Port {{port}}\n  User {{user}}\n  StrictHostKeyChecking no\n"
            f"  IdentityFile {{key}}\n" for name in ("web-1", "web-2")
        )
    }),
    "terraform": ("{terraform: show.json}", {
        "show.json": state(
            *(resource("aws_instance", f"web[{each}]", public_ip="127.0.0.1", tags={"env": "prod"}) for each in (1, 2))
        )
    }),
}  # fmt: skip
COUNTING = """\
#!/bin/sh
echo asked >> calls
test -e data || { echo 'the cloud does not answer' >&2; exit 1; }
cat data
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_sshd(tmp_path_factory.mktemp("sshd") / "server") as server:
        yield server


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "place")


def write(place, server, source, files, stack=STACK):
    values = {"user": server.user, "key": server.key, "port": server.port}
    named = {"stack.yaml": stack.format(source=source, **values), "f.feature": FEATURE, "ok.feature": None}
    for name, text in files.items():
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", str(value))
        named[name] = text
    place.write(named | {"known_hosts": server.known_hosts.read_text()})
    for name, text in files.items():
        if text.startswith("#!"):
            (place.folder / name).chmod(0o755)


@pytest.mark.parametrize("source", SOURCES)
def test_hosts_of_a_source_are_as_any_other_by_every_face(place, server, source):
    write(place, server, *SOURCES[source])
    shown = json.loads(place.run("infratest status --format json").out)
    assert [(host["name"], host["state"]) for host in shown["hosts"]] == [("web-1", "declared"), ("web-2", "declared")]
    assert place.run("infratest lint").status == 0
    planned = json.loads(place.run("infratest plan --format json").out)
    assert [task["host"] for task in planned["tasks"]] == ["web-1", "web-2"]

    report = json.loads(place.run("infratest test --format json").out)
    assert [(each["host"], each["state"]) for each in report["results"]] == [("web-1", "ok"), ("web-2", "ok")]
    assert all("web" in each["groups"] for each in report["results"])
    narrowed = json.loads(place.run(["infratest", "test", "--format", "json", "--host", "role=front"]).out)
    assert [each["host"] for each in narrowed["results"]] == ["web-1"]

    logins = server.logins()
    for _ in range(2):  # the second time by the plan that was kept
        done = place.run("check_infratest -H web-2")
        assert "1 scenario ok" in one_monitoring_line(done, "OK")
    assert server.logins() == logins + 2
    assert len(place.plans()) == 1

    done = place.run("pytest -p no:cacheprovider -q")
    assert "2 passed" in done.out, done


def test_labels_and_groups_of_a_source_choose_hosts(place, server):
    source, files = SOURCES["terraform"]
    write(place, server, source.replace("}", ", where: 'env=prod and not web-2'}"), files)
    place.write({"stack.yaml": (place.folder / "stack.yaml").read_text().replace(", web-2: {groups: [web]}", "")})
    report = json.loads(place.run(["infratest", "test", "--format", "json", "--host", "env=prod"]).out)
    assert [(each["host"], each["labels"]) for each in report["results"]] == [
        ("web-1", {"env": "prod", "role": "front"})
    ]


def test_a_check_asks_no_program_while_its_answer_is_young(place, server):
    data = json.dumps({"web": {"hosts": ["web-1"]}, "_meta": {"hostvars": {"web-1": {"ansible_host": "127.0.0.1"}}}})
    write(place, server, "{ansible: {path: inv, max-age: 1h}}", {"inv": COUNTING, "data": data}, NO_HOSTS)
    calls = place.folder / "calls"
    assert place.run("check_infratest").status == 0
    (place.folder / "data").unlink()
    for command in ("check_infratest", "infratest check", "infratest status", "infratest plan", "infratest lint"):
        assert place.run(command).status == 0
    assert calls.read_text() == "asked\n"

    # What was said to one account is not for another.
    place.variables["AWS_PROFILE"] = "other"
    assert "the cloud does not answer" in one_monitoring_line(place.run("check_infratest"), "UNKNOWN")
    del place.variables["AWS_PROFILE"]
    assert place.run("check_infratest").status == 0

    # Whoever changes the program changes what it says.
    (place.folder / "inv").write_text(COUNTING + "# changed\n")
    line = one_monitoring_line(place.run("check_infratest"), "UNKNOWN")
    assert "provider.from[0] (ansible inv): " in line
    assert "ended with exit 1: the cloud does not answer" in line
    assert "which hosts there are is not known" in line


def test_an_answer_that_is_too_old_is_never_used(place, server):
    data = json.dumps({"web": {"hosts": ["web-1"]}, "_meta": {"hostvars": {"web-1": {"ansible_host": "127.0.0.1"}}}})
    write(place, server, "{ansible: {path: inv, max-age: 1s}}", {"inv": COUNTING, "data": data}, NO_HOSTS)
    assert place.run("check_infratest").status == 0
    (place.folder / "data").unlink()
    (kept,) = (place.folder / ".infratest/cache/inventories").glob("*.json")
    (answer,) = json.loads(kept.read_text())
    wait_until(lambda: time.time() > answer["until"])
    done = place.run("check_infratest")
    assert (done.status, "the cloud does not answer" in one_monitoring_line(done, "UNKNOWN")) == (3, True)
    assert place.run("infratest status").status == 1


def test_hosts_that_come_and_go_are_followed(place, server):
    source, files = "{ansible: hosts}", {"hosts": "[web]\nweb-1 ansible_host=127.0.0.1\n"}
    write(place, server, source, files, NO_HOSTS)
    assert "1 scenario ok" in one_monitoring_line(place.run("check_infratest"), "OK")
    place.write({"hosts": "[web]\nweb-[1:3] ansible_host=127.0.0.1\n"})
    assert "3 scenarios ok" in one_monitoring_line(place.run("check_infratest"), "OK")
    place.write({"group_vars/web": "ansible_port: 1\n"})
    assert place.run("check_infratest").status == 2  # nobody listens there
    place.write({"hosts": "# nobody\n"})
    line = one_monitoring_line(place.run("check_infratest"), "UNKNOWN")
    assert "(ansible hosts) names no host" in line


def test_a_source_that_does_not_answer_is_named_before_the_run_is_ended(place, server):
    write(place, server, "{ansible: inv}", {"inv": "#!/bin/sh\nsleep 60\n"}, NO_HOSTS)
    done = place.run("check_infratest -t 3")
    assert done.status == 3
    line = one_monitoring_line(done, "UNKNOWN")
    assert "provider.from[0] (ansible inv): " in line
    assert "--list` was ended" in line
    wait_until(lambda: not place.processes())


def test_what_needs_no_hosts_works_while_a_source_does_not(place, server):
    write(place, server, "{ansible: none}", {}, NO_HOSTS)
    assert place.run("infratest heal pause 1h").status == 0
    assert place.run("infratest lint").out.count("(ansible none): there is no ") == 1


NO_HOSTS = STACK.partition("\nhosts: ")[0] + "\nfeatures: [f.feature]\n"
