"""Sentences about mounted file systems."""

from __future__ import annotations

from infratest.checks.mounts import MountDevice, MountExists, MountOption, MountType
from infratest.gherkin.sentence import check


@check('the mount "{path}" exists', negation='the mount "{path}" does not exist', example='the mount "/data" exists')
def mount_exists(path: str) -> MountExists:
    """A file system is mounted on just this path."""
    return MountExists(path)


@check(
    'the mount "{path}" is of type "{type}"',
    negation='the mount "{path}" is not of type "{type}"',
    example='the mount "/data" is of type "ext4"',
)
def mount_type(path: str, type: str) -> MountType:
    """The type of the file system mounted on this path."""
    return MountType(path, type)


@check(
    'the mount "{path}" comes from "{device}"',
    negation='the mount "{path}" does not come from "{device}"',
    example='the mount "/data" comes from "/dev/sdb1"',
)
def mount_device(path: str, device: str) -> MountDevice:
    """The device (or network share) that is mounted on this path."""
    return MountDevice(path, device)


@check(
    'the mount "{path}" has the option "{option}"',
    negation='the mount "{path}" does not have the option "{option}"',
    example='the mount "/tmp" has the option "noexec"',
)
def mount_option(path: str, option: str) -> MountOption:
    """An option that the file system is mounted with now, as /proc/self/mounts shows it."""
    return MountOption(path, option)
