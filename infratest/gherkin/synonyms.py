"""Words of the field that no sentence has, and what our sentences say instead; `infratest steps` finds by both."""

from __future__ import annotations

#: What is looked for -> words of sentences, one of which each sentence that is meant has.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "apt": ("the package", "repository"),
    "chmod": ("has mode",),
    "chown": ("owned by",),
    "cpu": ("processor",),
    "dns": ("the name ", "name server"),
    "group membership": ("in the group",),
    "hash": ("checksum",),
    "kernel parameter": ("the sysctl",),
    "latency": ("answers in", "answers ping"),
    "listening port": ("is listening",),
    "mtime": ("was changed",),
    "nslookup": ("the name ",),
    "partition": ("disk",),
    "permissions": ("has mode",),
    "ram": ("memory",),
    "regex": ("matching", "matches"),
    "regexp": ("matching", "matches"),
    "response time": ("answers in",),
    "smtp": ("mail",),
    "ssh key": ("authorized key", "may log in"),
    "status code": (" answers ",),
    "symlink": ("link",),
    "timeout": ("within",),
    "url": (' "http',),
}


def words_for(text: str) -> tuple[str, ...]:
    """Return what else to look for, in lower case, where someone looks for this; empty where it is no such word."""
    return SYNONYMS.get(text, ()) or SYNONYMS.get(text.removesuffix("s"), ())
