"""What `infratest box validate` does: a host of an image up in a stack of its own, features run on it, down again."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from infratest.cli._checking import AT, in_time, until
from infratest.cli._lifecycle import changing, say
from infratest.engine.apart import Send
from infratest.errors import InfratestError, ProviderError
from infratest.images.cache import cache_folder
from infratest.images.named import named
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.up import up
from infratest.model import Report
from infratest.project.execute import execute, problem
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session

#: The feature that is run where none is named.
DEFAULT = "@linux-baseline"

STACK, HOST = "validate", "box"


def validated(session: Session, image: str, provider: str, features: Sequence[str]) -> Report:
    """Return what features say of a host of an image; it is made for this and removed.

    Args:
        session: of the call; an image that is a path is looked for beside its stack file.
    """
    try:
        known = named(image, session.stack_path.absolute().parent)
        place = _place(provider, image if known.path == session.stack_path.absolute().parent else str(known.path))
    except InfratestError as error:
        return problem(session, error)
    own = Session(
        stack_path=place / "stack.yaml", state_path=str(place / "state"), timeout=session.timeout,
        verbosity=session.verbosity, colour=session.colour,
    )  # fmt: skip
    try:
        changing(own, "up", lambda life: up(life))
        return _report(own, tuple(features) or (DEFAULT,))
    except InfratestError as error:
        return problem(own, error)
    finally:
        _down(own, place)


def _place(provider: str, image: str) -> Path:
    """Return a folder with a stack file of one host of the image. Raises ProviderError: the cache cannot be written."""
    stack = {"stack": STACK, "provider": provider, "hosts": {HOST: {"image": image}}}
    try:
        cache_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix="validate-", dir=cache_folder()))
        (place / "stack.yaml").write_text(json.dumps(stack), "utf-8")  # JSON is YAML
    except OSError as error:
        raise ProviderError(
            f"the stack of an image to be validated is in {cache_folder()}, which cannot be written: {error.strerror}; "
            "name another folder with INFRATEST_CACHE"
        ) from error
    return place


def _report(own: Session, features: tuple[str, ...]) -> Report:
    request = Request(features=features, face="test")
    deadline = until(own, "test")

    def work(send: Send) -> Report:
        send((AT, "features and steps of your own were read"))
        prepared = prepare(own, request, deadline=deadline)
        send((AT, "scenarios were run"))
        return execute(own, request, prepared, deadline=deadline)

    return in_time(own, deadline, work)


def _down(own: Session, place: Path) -> None:
    """Remove the host with all that was made for it; what cannot be removed is told, and how to remove it."""
    own = Session(stack_path=own.stack_path, state_path=own.state_path, colour=own.colour)  # not in the time of the run
    try:
        changing(own, "destroy", lambda life: destroy(life, None))
    except InfratestError as error:
        state = f"--stack {own.stack_path} --state {own.state_path}"
        say(f"left: the host that was made: {error}; `infratest destroy {state}` removes it")
        return
    shutil.rmtree(place, ignore_errors=True)
