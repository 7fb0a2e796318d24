"""A cluster with TLS: certificates of one authority on both sides, by dask's own settings, and of no other."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.spread.cluster import BIN, cluster
from tests.spread.test_cluster import GOOD, project
from tests.worlds.certificates import authority


def files(ca: Path, certificate: Path) -> dict[str, str]:
    """Return what tells dask's client its files."""
    name = "DASK_DISTRIBUTED__COMM__TLS__"
    return {f"{name}CA_FILE": str(ca), f"{name}CLIENT__CERT": str(certificate), f"{name}CLIENT__KEY": str(certificate)}


def test_who_has_no_certificate_of_the_cluster_is_not_let_in(tmp_path: Path):
    for name in ("ours", "theirs", "project"):
        (tmp_path / name).mkdir()
    ours, theirs = authority(tmp_path / "ours"), authority(tmp_path / "theirs")
    server, client, stranger = ours.sign("127.0.0.1"), ours.sign("monitor"), theirs.sign("monitor")
    folder = project(tmp_path / "project", GOOD, 3)
    options = ["--tls-ca-file", str(ours.file), "--tls-cert", str(server), "--tls-key", str(server)]
    with cluster(tmp_path / "cluster", workers=2, tls=options) as two:
        assert two.ours.startswith("dask+tls://127.0.0.1:")

        def check(address: str, known: dict[str, str]) -> tuple[int, dict[str, object]]:
            command = [str(BIN / "infratest"), "check", "--timeout", "60s", "--jobs", address, "--format", "json"]
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **known},
                capture_output=True,
                text=True,
                timeout=250,
                check=False,
            )
            return done.returncode, json.loads(done.stdout)

        status, report = check(two.ours, files(ours.file, client))
        assert (status, report["state"], report["cost"]["logins"]) == (0, "ok", 3), report
        for known in (files(theirs.file, client), files(ours.file, stranger)):
            status, report = check(two.ours, known)
            assert (status, report["state"], report["results"]) == (3, "unknown", []), report
            assert "there is no scheduler of dask" in str(report["problem"])
        status, report = check(two.ours.replace("dask+tls", "dask"), files(ours.file, client))
        assert (status, report["state"], report["results"]) == (3, "unknown", []), report
