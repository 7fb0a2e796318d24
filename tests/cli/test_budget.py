"""What `up` and `status` say of a budget, on the fake provider and on EC2 by moto, where hosts have prices."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.worlds import forked, moto_ec2


def infratest(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_")}
    return forked.run(words, cwd=folder, env=clean | moto_ec2.credentials() | environment, timeout=120)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "stack.yaml").write_text("stack: shop\nprovider: fake\nbudget: {time: 2h}\nhosts: {db: {}}\n")
    return tmp_path


def test_up_and_status_say_when_it_ends_and_that_nobody_ends_it(shop):
    dry = infratest(shop, "up", "--dry-run")
    soon = r"\(in (2 h|120 min)\)"
    ends = rf"budget ends 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC {soon}, ended by nobody: `infratest reap --expired` "
    assert re.search(f"^{ends}removes it then, `infratest reap --install-timer` has systemd do so\n", dry.stderr, re.M)
    assert not (shop / ".infratest").exists()
    done = infratest(shop, "up")
    assert done.returncode == 0
    assert re.search(f"\n{ends}removes it then, .*\n$", done.stderr)
    shown = infratest(shop, "status").stdout
    assert re.search(rf"^lease of .* ends .* UTC {soon}\nbudget ends .* ended by nobody: ", shown, re.M)
    document = json.loads(infratest(shop, "status", "--format", "json").stdout)
    assert document["budget"]["ends"] == document["budget"]["since"] + 7200
    assert document["expires"] == int(document["budget"]["ends"])


def test_without_one_nothing_is_said(shop):
    (shop / "stack.yaml").write_text("stack: shop\nprovider: fake\nhosts: {db: {}}\n")
    assert "budget" not in infratest(shop, "up").stderr
    assert "budget" not in infratest(shop, "status").stdout
    assert json.loads(infratest(shop, "status", "--format", "json").stdout)["budget"] is None


def test_after_its_end_up_says_what_to_do(shop):
    (shop / "stack.yaml").write_text("stack: shop\nprovider: fake\nbudget: {time: 1ms}\nhosts: {db: {}}\n")
    infratest(shop, "up")
    done = infratest(shop, "up")
    assert done.returncode == 2
    assert "budget: ended" in done.stderr
    assert "`infratest destroy` removes all, or raise the budget" in done.stderr
    assert re.search(
        r"^budget ended .*: nothing is renewed, `infratest destroy` rem", infratest(shop, "status").stdout, re.M
    )
    assert infratest(shop, "destroy").returncode == 0


def test_on_a_cloud_it_is_priced_before_anything_is_made(tmp_path):
    stack = {
        "stack": "shop", "provider": {"name": "cloud", **moto_ec2.options()},
        "budget": {"cost": "0.01 USD", "time": "1h"},
        "defaults": {"image": moto_ec2.IMAGE}, "hosts": {"web": {"count": 2}},
    }  # fmt: skip
    (tmp_path / "stack.yaml").write_text(json.dumps(stack))
    done = infratest(tmp_path, "up")
    assert done.returncode == 2
    assert re.search(
        r"budget: 2 hosts cost 0\.0188 USD an hour \(as libcloud \S+ knows it, of \S+\), and 60 min of that "
        r"0\.0188 USD: 0\.01 USD last for 31\.9 min; take fewer hosts or smaller sizes, less `time:`, or raise "
        "`cost:`\nnothing had been made",
        done.stderr,
    )
    stack["budget"] = {"cost": "0.01 USD"}
    (tmp_path / "stack.yaml").write_text(json.dumps(stack))
    dry = infratest(tmp_path, "up", "--dry-run")
    assert re.search(r"budget ends .* \(in 31\.9 min\), ended by nobody", dry.stderr)
    assert "web-2 would be made" in dry.stdout
