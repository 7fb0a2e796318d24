"""Stacks as exports get them, for tests."""

from __future__ import annotations

from typing import Any

from infratest.alerting.policy import Attempts, Policy
from infratest.exports.base import Watch, What
from infratest.hosts import Host

POLICY = Policy(interval=60.0, retry=15.0, attempts=Attempts(3, 3))


def watch(
    slug: str = "nginx-answers", host: str = "web-1", feature: str = "features/web.feature", **more: Any
) -> Watch:
    """Return one scenario on one host."""
    known: dict[str, Any] = {"name": slug, "title": slug.replace("-", " "), "policy": POLICY}
    return Watch(id=f"{feature}#{slug}@{host}", host=host, feature=feature, slug=slug, **{**known, **more})


def what(*watches: Watch, hosts: tuple[Host, ...] | None = None, **more: Any) -> What:
    """Return shop/prod with two hosts and these scenarios."""
    known: dict[str, Any] = {"stack": "shop", "env": "prod", "stack_file": "/srv/shop/stack.yaml", "policy": POLICY}
    both = (Host("web-1", ("web",), {"role": "web"}, "192.0.2.11"), Host("web-2", ("web",), {}, "192.0.2.12"))
    return What(watches=watches, hosts=both if hosts is None else hosts, **{**known, **more})


#: Texts that a configuration, a macro, a template or a shell would make something else of.
HOSTILE = (
    "plain", "a b", " a", "a ", "", "a;b", "a\\;b", "a#b", "#a", "a!b", "a\\!b", "a$b", "$HOSTNAME$", "$$", "$(id)",
    "`id`", "'; id; '", '"; id; "', "a\\", "\\", "\\\\", "a'b", 'a"b', "a\nb", "a\r\nb", "a\tb", "a\0b", "\x1b[2J",
    "\u202ea", "\u2028", "é", "ümläut", "日本", "😀", "\ud83d", "{{ $value }}", "{{", "}}", "%h", "%n", "a%%b",
    "--help", "-x", "a=b", "a,b", "a|b", "a&b", "<a>", "*", "?", "~", "a/b", "../a", "x" * 126, "x" * 10_000,
    "define host {", "}", "\ufeff", "null", "1", "true", "a: b", "- a",
)  # fmt: skip
