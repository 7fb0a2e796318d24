"""Sentences about packages of the distribution."""

from __future__ import annotations

from infratest.checks.packages import PackageInstalled, PackageVersion
from infratest.gherkin.sentence import check


@check(
    'the package "{name}" is installed',
    negation='the package "{name}" is not installed',
    example='the package "nginx" is installed',
)
def package_installed(name: str) -> PackageInstalled:
    """The package is installed, whole: half installed or removed with its configuration kept is not."""
    return PackageInstalled(name)


@check(
    'the package "{name}" has version "{version}"',
    negation='the package "{name}" does not have version "{version}"',
    example='the package "nginx" has version "1.22.1"',
)
def package_version(name: str, version: str) -> PackageVersion:
    """Exactly this version: as the package manager writes it, or without epoch and the distribution's revision."""
    return PackageVersion(name, version)
