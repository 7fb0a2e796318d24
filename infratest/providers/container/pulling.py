"""Registry images: pulled once, kept under a tag of ours, and each way in which a pull fails in one clear message.

Called by image.py. The image itself stays as its registry has it: what is tested is what is shipped. Its tag of ours,
`infratest/pulled/NAME:TAG`, says that it is in our cache; a tag that was there before us is left alone.
"""

from __future__ import annotations

import logging

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images import recipe as recipes
from infratest.providers.container.engine import PODMAN, Engine

log = logging.getLogger(__name__)

OURS = "infratest/pulled/"

#: Seconds for a pull.
PULL = 900.0

#: What docker, podman and their registries say, in small letters -> what it means and what to try. The first counts.
FAILURES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("toomanyrequests", "too many requests", "rate limit"), "the registry's rate limit is reached",
     "wait, or log in, which raises the limit: `{login}`"),
    (("no space left on device",), "the disk of the engine is full",
     "`infratest box rm --outdated` and `{engine} system df` say what takes it"),
    (("x509:", "tls:", "certificate signed by unknown", "gave http response to https", "certificate is not"),
     "TLS with the registry failed",
     "have its certificate signed by an authority that the engine trusts, or its own one under /etc/docker/certs.d"),
    (("no matching manifest", "does not match the specified platform", "no image found in image index"),
     "the image is not made for this machine's processor", "take another tag, or build it from its Dockerfile"),
    (("requested access to the resource is denied", "repository does not exist or may require"),
     "there is no such image, or it is one that needs a login", "look at its name; or log in: `{login}`"),
    (("unauthorized", "no basic auth credentials", "authentication required", "authorization failed", "denied"),
     "the registry refused the login", "log in as somebody who may pull it: `{login}`"),
    (("name unknown", "repository name not known", "name invalid"), "the registry has no such image",
     "look at its name"),
    (("manifest unknown", "manifest for", "not found: manifest"),
     "the registry has no such image, or not with this tag", "look at its name and tag"),
    (("no such host", "connection refused", "i/o timeout", "network is unreachable", "no route to host",
      "client.timeout", "deadline exceeded", "connection reset", "eof", "temporary failure in name resolution",
      "proxyconnect"),
     "the registry cannot be reached", "see whether this machine has a way to it; a kept image needs none"),
)  # fmt: skip


def pulled(engine: Engine, name: str, deadline: Deadline) -> str:
    """Return our tag of a registry image, which is pulled if it is not there.

    Raises:
        ProviderError: it cannot be pulled; what the matter is, and the engine's own words.
    """
    ours = our_tag(name)
    if engine.exists("image", ours, deadline):
        return ours
    source = in_full(name) if engine.kind == PODMAN else name
    foreign = engine.exists("image", source, deadline)
    if not foreign:
        log.warning("image %s is not there yet: pulling it, once", name)
        status, last = engine.follow(["pull", source], deadline.at_most(PULL))
        if status != 0:
            raise ProviderError(refusal(name, " ".join(last[-3:]), engine.kind))
    engine.run(["tag", source, ours], deadline)
    if not foreign:
        engine.remove(["image", "rm", source], deadline)
    return ours


def in_full(name: str) -> str:
    """Return a name with its registry: podman takes one without for that of no registry, or asks."""
    if registry_of(name):
        return name
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


def registry_of(name: str) -> str:
    """Return the registry that a name says; empty where it says none, which is Docker Hub."""
    first = name.partition("/")[0]
    return first if "/" in name and (":" in first or "." in first or first == "localhost") else ""


def our_tag(name: str) -> str:
    """Return the tag that keeps a registry image, from which `name_of` makes its name again."""
    first, slash, rest = name.partition("/")
    if slash and ":" in first:
        name = f"{first.replace(':', '__')}/{rest}"
    elif slash:
        name = f"{first}/{rest}"
    name, _, digest = name.partition("@")
    if not digest:
        repository, _, tag = name.rpartition(":")
        return f"{OURS}{repository.lower()}:{tag}"
    repository = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    return f"{OURS}{repository.lower()}:{digest.replace(':', '__')}"


def name_of(tag: str) -> str:
    """Return the name of a registry image by our tag of it."""
    repository, _, last = tag.removeprefix(OURS).rpartition(":")
    first, slash, rest = repository.partition("/")
    repository = f"{first.replace('__', ':')}/{rest}" if slash else repository
    return (
        f"{repository}@{last.replace('__', ':')}" if last.startswith("sha") and "__" in last else f"{repository}:{last}"
    )


def refusal(name: str, words: str, engine: str) -> str:
    """Return the message for an image that could not be pulled.

    Args:
        words: the engine's last ones.
    """
    said = words.removeprefix("Error response from daemon: ")
    small = said.lower()
    meaning, advice = next(
        ((meaning, advice) for texts, meaning, advice in FAILURES if any(text in small for text in texts)),
        ("it could not be pulled", "try `{engine} pull {name}`"),
    )
    registry = registry_of(name)
    advice = advice.format(engine=engine, name=name, login=f"{engine} login {registry}".strip())
    recipe = name.replace(":", "-")
    ours = f"; infratest's own recipe of it is {recipe}" if recipe in recipes.names() else ""
    return f"image {name} from {registry or 'Docker Hub'}: {meaning}: {clean(said)}; {advice}{ours}"
