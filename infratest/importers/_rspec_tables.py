"""What each matcher and each property of Serverspec's and InSpec's resources is said as. Called by `_rspec`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infratest.gherkin.writing import in_quotes
from infratest.importers._ruby import NotPlain

_MARKS = re.compile(r"\{([0-3]|bare|bare1)\}")

#: A sentence and its negation; `{0}` is the resource's name, `{1}` what the matcher is given.
Pair = tuple[str, str]


def is_not(words: str) -> Pair:
    """Return a claim with `is` and its negation."""
    before, _, after = words.partition(" is ")
    return words, f"{before} is not {after}"


def has_not(words: str) -> Pair:
    before, _, after = words.partition(" has ")
    return words, f"{before} does not have {after}"


RESOLVES = ("the name {0} resolves to {1} from the host", "the name {0} does not resolve to {1} from the host")
#: Resource -> matcher without anything given -> its sentences.
PLAIN: Mapping[str, Mapping[str, Pair]] = {
    "package": {
        "be_installed": is_not("the package {0} is installed"), "be_held": is_not("the package {0} is held"),
        "be_latest": ("the package {0} has the latest version", "the package {0} does not have the latest version"),
    },
    "service": {
        "be_running": is_not("the service {0} is running"), "be_enabled": is_not("the service {0} is enabled"),
        "be_installed": ("the service {0} exists", "the service {0} does not exist"),
    },
    "port": {"be_listening": is_not("port {bare} is listening")},
    "file": {
        "exist": ("the file {0} exists", "the file {0} does not exist"),
        "be_file": is_not("the file {0} is a regular file"),
        "be_directory": ("the directory {0} exists", "the directory {0} does not exist"),
        "be_symlink": ("the link {0} exists", "the link {0} does not exist"),
        "be_socket": is_not("the file {0} is a socket"), "be_pipe": is_not("the file {0} is a pipe"),
        "be_block_device": is_not("the file {0} is a block device"),
        "be_character_device": is_not("the file {0} is a character device"),
        "be_immutable": is_not("the file {0} is immutable"),
        "be_setuid": ("the file {0} has the setuid bit", "the file {0} does not have the setuid bit"),
        "be_mounted": ("the mount {0} exists", "the mount {0} does not exist"),
        "be_setgid": ("the file {0} has the setgid bit", "the file {0} does not have the setgid bit"),
    },
    "user": {"exist": ("the user {0} exists", "the user {0} does not exist")},
    "group": {"exist": ("the group {0} exists", "the group {0} does not exist")},
    "process": {"be_running": is_not("the process {0} is running")},
    "interface": {
        "exist": ("the interface {0} exists", "the interface {0} does not exist"),
        "be_up": is_not("the interface {0} is up"),
    },
    "kernel_module": {
        "be_loaded": is_not("the kernel module {0} is loaded"),
        "be_disabled": is_not("the kernel module {0} is disabled"),
        "be_blacklisted": is_not("the kernel module {0} is blacklisted"),
    },
    "x509_certificate": {
        "be_valid": is_not("the certificate file {0} is valid"), "be_ca": is_not("the certificate file {0} is a CA"),
    },
    "x509_private_key": {"be_encrypted": is_not("the private key file {0} is encrypted")},
    "docker_container": {
        "exist": ("the container {0} exists", "the container {0} does not exist"),
        "be_running": is_not("the container {0} is running"),
    },
    "docker_image": {"exist": ("the image {0} exists", "the image {0} does not exist")},
    "yumrepo": {
        "exist": ("the package repository {0} exists", "the package repository {0} does not exist"),
        "be_enabled": is_not("the package repository {0} is enabled"),
    },
    "pip": {"be_installed": is_not("the pip package {0} is installed")},
    "npm": {"be_installed": is_not("the npm package {0} is installed")},
    "gem": {"be_installed": is_not("the gem package {0} is installed")},
    "bridge": {"exist": ("the bridge {0} exists", "the bridge {0} does not exist")},
    "bond": {"exist": ("the bond {0} exists", "the bond {0} does not exist")},
    "selinux": {
        "be_enforcing": is_not("SELinux is enforcing"), "be_permissive": is_not("SELinux is permissive"),
        "be_disabled": is_not("SELinux is disabled"),
    },
    "mount": {"be_mounted": ("the mount {0} exists", "the mount {0} does not exist")},
    "host": {
        "be_resolvable": ("the name {0} resolves from the host", "the name {0} does not resolve from the host"),
        "be_reachable": (
            "the address {0} answers ping from the host", "the address {0} does not answer ping from the host",
        ),
    },
}  # fmt: skip

#: Resource -> matcher with one thing given -> its sentences.
GIVEN: Mapping[str, Mapping[str, Pair]] = {
    "file": {
        "be_owned_by": is_not("the file {0} is owned by {1}"),
        "be_grouped_into": ("the file {0} belongs to the group {1}", "the file {0} does not belong to the group {1}"),
        "be_linked_to": ("the link {0} points to {1}", "the link {0} does not point to {1}"),
        "be_mode": has_not("the file {0} has mode {1}"),
        "be_more_permissive_than": (
            "the file {0} does not have at most mode {1}", "the file {0} has at most mode {1}",
        ),
    },
    "user": {
        "have_uid": has_not("the user {0} has uid {bare1}"),
        "have_home_directory": has_not("the user {0} has the home {1}"),
        "have_login_shell": has_not("the user {0} has the shell {1}"),
        "belong_to_group": is_not("the user {0} is in the group {1}"),
        "belong_to_primary_group": has_not("the user {0} has the primary group {1}"),
        "have_authorized_key": (
            "the user {0} may log in with the key {1}", "the user {0} may not log in with the key {1}",
        ),
    },
    "group": {"have_gid": has_not("the group {0} has gid {bare1}")},
    "bridge": {"have_interface": has_not("the bridge {0} has the interface {1}")},
    "bond": {"have_interface": has_not("the bond {0} has the interface {1}")},
    "x509_private_key": {
        "have_matching_certificate": (
            "the private key file {0} belongs to the certificate file {1}",
            "the private key file {0} does not belong to the certificate file {1}",
        ),
    },
    "interface": {
        "have_ipv4_address": has_not("the interface {0} has the address {1}"),
        "have_ipv6_address": has_not("the interface {0} has the address {1}"),
    },
}  # fmt: skip

#: Resource -> property of `its`, that is one of several -> its sentences.
ONE_OF: Mapping[str, Mapping[str, Pair]] = {
    "file": {
        "owner": ("the file {0} is owned by one of {1}", "the file {0} is owned by none of {1}"),
        "group": (
            "the file {0} belongs to one of the groups {1}", "the file {0} belongs to none of the groups {1}",
        ),
        "mode": ("the file {0} has one of the modes {1}", "the file {0} has none of the modes {1}"),
    },
}  # fmt: skip

#: Resource -> property of `its`, that equals one thing -> its sentences.
EQUAL: Mapping[str, Mapping[str, Pair]] = {
    "package": {"version": has_not("the package {0} has version {1}")},
    "file": {
        "mode": has_not("the file {0} has mode {1}"), "owner": is_not("the file {0} is owned by {1}"),
        "group": ("the file {0} belongs to the group {1}", "the file {0} does not belong to the group {1}"),
        "link_path": ("the link {0} points to {1}", "the link {0} does not point to {1}"),
        "md5sum": has_not("the file {0} has the MD5 checksum {1}"),
        "sha256sum": has_not("the file {0} has the SHA-256 checksum {1}"),
    },
    "user": {
        "uid": has_not("the user {0} has uid {bare1}"), "gid": has_not("the user {0} has gid {bare1}"),
        "home": has_not("the user {0} has the home {1}"), "shell": has_not("the user {0} has the shell {1}"),
        "group": has_not("the user {0} has the primary group {1}"),
    },
    "group": {"gid": has_not("the group {0} has gid {bare1}")},
    "command": {
        "exit_status": ("the command {0} exits {bare1}", "the command {0} does not exit {bare1}"),
        **dict.fromkeys(
            ("stdout", "stdout.strip", "stdout.chomp"),
            ("the command {0} prints exactly {1}", "the command {0} does not print exactly {1}"),
        ),
    },
    "kernel_parameter": {"value": is_not("the sysctl {0} is {1}")},
    "kernel_module": {"version": has_not("the kernel module {0} has version {1}")},
    "process": {"user": ("the process {0} runs as {1}", "the process {0} does not run as {1}")},
    "host": {"ipaddress": RESOLVES},
    "pip": {"version": has_not("the pip package {0} has version {1}")},
    "npm": {"version": has_not("the npm package {0} has version {1}")},
    "gem": {"version": has_not("the gem package {0} has version {1}")},
    "x509_certificate": {
        "signature_algorithm": has_not("the certificate file {0} has the signature algorithm {1}"),
    },
    "docker_container": {
        "image": ("the container {0} runs the image {1}", "the container {0} does not run the image {1}"),
    },
    "docker_image": {"id": has_not("the image {0} has the digest {1}")},
    "default_gateway": {
        "ipaddress": ("the default route goes by {1}", "the default route does not go by {1}"),
        "interface": ("the default route goes over {1}", "the default route does not go over {1}"),
    },
    "firewalld": {"default_zone": has_not("firewalld has the default zone {1}")},
    "os.family": {"": is_not("the host is of the family {1}")},
    "os.name": {"": ("the host runs {1}", "the host does not run {1}")},
    "os.arch": {"": has_not("the host has the architecture {1}")},
    "sys_info.hostname": {"": has_not("the host has the hostname {1}")},
    "sys_info.fqdn": {"": has_not("the host has the full name {1}")},
    "timezone.name": {"": has_not("the host has the time zone {1}")},
    "mount": {
        "type": is_not("the mount {0} is of type {1}"),
        "device": ("the mount {0} comes from {1}", "the mount {0} does not come from {1}"),
    },
    "http": {"status": ("{0} answers {bare1} from the host", "{0} does not answer {bare1} from the host")},
}  # fmt: skip

#: Resource and property of `its` that is an empty text -> its sentences.
EMPTY: Mapping[tuple[str, str], Pair] = {
    ("command", "stdout"): ("the command {0} prints nothing", "the command {0} prints something"),
    ("command", "stderr"): (
        "the command {0} prints nothing to standard error", "the command {0} prints something to standard error",
    ),
}  # fmt: skip

#: Resource -> property of `its`, that has a text in it -> its sentences.
CONTAINS: Mapping[str, Mapping[str, Pair]] = {
    "file": {"content": ("the file {0} contains {1}", "the file {0} does not contain {1}")},
    "command": {
        "stdout": ("the command {0} prints {1}", "the command {0} does not print {1}"),
        "stderr": (
            "the command {0} prints {1} to standard error", "the command {0} does not print {1} to standard error",
        ),
    },
    "user": {"groups": is_not("the user {0} is in the group {1}")},
    "mount": {"options": has_not("the mount {0} has the option {1}")},
    "port": {"addresses": is_not("port {bare} is listening at {1}")},
    "host": {"ipaddress": RESOLVES},
    "http": {"body": ("{0} contains {1} from the host", "{0} does not contain {1} from the host")},
}  # fmt: skip

#: Resource -> property of `its`, that a pattern matches -> its sentences.
MATCHES: Mapping[str, Mapping[str, Pair]] = {
    "file": {"content": ("the file {0} matches {1}", "the file {0} does not match {1}")},
    "command": {
        "stdout": ("the command {0} prints a line matching {1}", "the command {0} prints no line matching {1}"),
        "stderr": (
            "the command {0} prints a line matching {1} to standard error",
            "the command {0} prints no line matching {1} to standard error",
        ),
    },
}  # fmt: skip

#: Words of a bound, by the operator.
BOUNDS = {">": "more than", "<": "less than", ">=": "at least", "<=": "at most"}
#: Resource, property of `its` and operator -> how it is said.
COMPARED = {
    **{("file", "size", sign): f"the file {{0}} is {words} {{bare1}} B in size" for sign, words in BOUNDS.items()},
    **{
        (
            "x509_certificate",
            "validity_in_days",
            sign,
        ): f"the certificate file {{0}} is valid for {words} {{bare1}} days"
        for sign, words in BOUNDS.items()
    },
    **{
        (f"x509_{kind}", length, sign): f"the {words} {{0}} has a key of {bound} {{bare1}} bits"
        for kind, words in (("certificate", "certificate file"), ("private_key", "private key file"))
        for length in ("keylength", "key_length")
        for sign, bound in (*BOUNDS.items(), ("==", "exactly"))
    },
    ("interface", "speed", "=="): "the interface {0} has a speed of exactly {bare1} Mbit/s",
    ("package", "version", ">="): "the package {0} has at least version {1}",
    ("package", "version", "<="): "the package {0} has at most version {1}",
    ("package", "version", ">"): "the package {0} has a version more than {1}",
    ("package", "version", "<"): "the package {0} has a version less than {1}",
}

#: Resources of which there is one, so that no name stands behind them.
NAMELESS = frozenset({
    "selinux", "default_gateway", "firewalld", "cron", "iptables", "ip6tables", "routing_table", "sshd_config",
    "sshd_active_config", "os.family", "os.name", "os.arch", "sys_info.hostname", "sys_info.fqdn", "timezone.name",
})  # fmt: skip
#: What the others call a system, and os-release does not: of os.family and os.name.
SYSTEMS = {"redhat": "rhel", "amazon": "amzn", "oracle": "ol"}

#: Other names of the same resource.
ALIASES = {
    "directory": "file", "linux_kernel_parameter": "kernel_parameter", "processes": "process", "bash": "command",
    "systemd_service": "service", "yum.repo": "yumrepo", "ppa": "yumrepo", "apt": "yumrepo",
    "key_rsa": "x509_private_key",
}  # fmt: skip


def filled(words: str, name: str, *given: Any) -> str:
    """Return a sentence with its values, which may have braces of their own. Raises NotPlain."""
    values = {"0": in_quotes(name), "bare": name}
    for place, each in enumerate(given, 1):
        if isinstance(each, bool) or not isinstance(each, str | int | float):
            raise NotPlain(f"{each!r} is no text and no number")
        values |= {str(place): in_quotes(str(each)), f"bare{place}": str(each)}
    return _MARKS.sub(lambda mark: values[mark[1]], words)
