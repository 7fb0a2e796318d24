from __future__ import annotations

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.testing.inventories import opened


def names(folder, given="config"):
    return [host.name for host in opened("ssh-config", given, folder).hosts(Deadline(5)).hosts]


def test_files_are_included_where_the_line_stands(tmp_path):
    (tmp_path / "config").write_text(f"Host a\nInclude {tmp_path}/d/*.conf {tmp_path}/none*\nHost b\n")
    (tmp_path / "d").mkdir()
    for name in ("2", "1"):
        (tmp_path / "d" / f"{name}.conf").write_text(f"Host from-{name}\n")
    answer = opened("ssh-config", "config", tmp_path).hosts(Deadline(5))
    assert [host.name for host in answer.hosts] == ["a", "from-1", "from-2", "b"]
    assert answer.hosts[1].where == f"{tmp_path}/d/1.conf:1"
    assert answer.hosts[1].config == str(tmp_path / "config")
    # A file more in a folder that was searched may be a host more.
    assert {tmp_path / "config", tmp_path / "d", tmp_path / "d/1.conf", tmp_path} <= {*answer.files}


def test_the_users_own_file_is_read_as_ssh_reads_it(tmp_path):
    # Nothing is said of a config, so that the system's counts, too, as with `ssh NAME`.
    (tmp_path / "config").write_text("Host a\n")
    assert opened("ssh-config", "config", tmp_path).hosts(Deadline(5)).hosts[0].config == str(tmp_path / "config")
    from infratest.transports.ssh.config_words import home

    assert opened("ssh-config", f"{home()}/.ssh/config", tmp_path)._config() == ""


def test_files_that_include_each_other_are_refused(tmp_path):
    (tmp_path / "config").write_text(f"Host a\nInclude {tmp_path}/config\n")
    with pytest.raises(InventoryError, match="include each other more than 16 deep"):
        names(tmp_path)


def test_a_folder_is_no_ssh_config(tmp_path):
    with pytest.raises(InventoryError, match="cannot be read: Is a directory"):
        names(tmp_path, ".")
