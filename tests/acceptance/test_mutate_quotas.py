"""`infratest mutate` of quotas, on a machine whose kernel has them: each sentence turns red by other limits."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.acceptance.conftest import Project

pytestmark = [pytest.mark.hosts, pytest.mark.machines, pytest.mark.timeout(1800)]

STACK = """
stack: quotas
provider: qemu
hosts:
  home: {memory: 512MiB, provision: [{shell: quotas.sh}]}
"""
#: A file system of ext4 whose own quotas count and hold, and one of XFS, each with files of a user within its limits.
QUOTAS = rb"""#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
if ! command -v setquota >/dev/null; then
  apt-get -q update
  apt-get -q install -y --no-install-recommends quota libinih1 liburcu8
  cd /var && apt-get -q download xfsprogs # of it mkfs.xfs alone, for installed it brings a whole Python
  dpkg-deb -x xfsprogs_*.deb /usr/local/xfsprogs
fi
id ada >/dev/null 2>&1 || useradd -m ada
for kind in ext4 xfs; do
  mountpoint -q /srv/$kind && continue
  mkdir -p /srv/$kind
  truncate -s 400M /var/$kind.img
  case $kind in
    ext4) mkfs.ext4 -q -O quota /var/$kind.img ;;
    xfs) /usr/local/xfsprogs/sbin/mkfs.xfs -q /var/$kind.img ;;
  esac
  mount -o loop,usrquota,grpquota /var/$kind.img /srv/$kind
  mkdir /srv/$kind/ada
  head -c 2000000 /dev/zero >/srv/$kind/ada/file
  touch /srv/$kind/ada/1 /srv/$kind/ada/2
  chown -R ada:ada /srv/$kind/ada
  setquota -u ada 0 10240 0 100 /srv/$kind
  setquota -g ada 0 20480 0 100 /srv/$kind
done
"""
CLAIMS = """  Scenario: {0}
    Then no user is over its quota for "/srv/{0}"
    And no group is over its quota for "/srv/{0}"
    And the user "ada" has a quota for "/srv/{0}"
    And the user "games" has no quota for "/srv/{0}"
    And the group "ada" has a quota for "/srv/{0}"
    And the user "ada" has a quota of at most 10 MiB for "/srv/{0}"
    And the user "ada" has a quota of at least 5 MiB for "/srv/{0}"
    And the group "ada" has a quota of exactly 20 MiB for "/srv/{0}"
    And the user "ada" uses less than 90 % of its quota for "/srv/{0}", warning 80 %
    And the group "ada" uses more than 5 % of its quota for "/srv/{0}"
    And the user "ada" uses less than 90 % of its quota of files for "/srv/{0}"
    And the group "ada" uses between 2 % and 50 % of its quota of files for "/srv/{0}"
"""


def test_each_sentence_about_quotas_turns_red_and_the_limits_are_as_they_were(
    new_project: Callable[..., Project],
) -> None:
    project = new_project(STACK, {"quotas.sh": QUOTAS})
    limits = "repquota -u -g -n -p -O csv /srv/ext4 /srv/xfs; ls -A /var/lib | grep infratest-; true"
    before = project.good("run", "home", limits)
    (project.folder / "asked.feature").write_text(
        "Feature: quotas\n" + "\n".join(CLAIMS.format(one) for one in ("ext4", "xfs")), encoding="utf-8"
    )
    done = project.run("mutate", "asked.feature", "--format", "json", timeout=900)
    report = json.loads(done.stdout)
    steps = [step for one in report["results"] for step in one["steps"]]
    assert {step["text"]: step["reason"] for step in steps if step["state"] != "ok"} == {}
    assert report["notes"] == ["mutation score 100 %: 24 of 24 sentences turned red when what they say was broken"]
    assert project.good("run", "home", limits) == before
