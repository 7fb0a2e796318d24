"""The scenarios of a session's feature files: which there are, for which hosts. Each file is read once a session.

Called while pytest collects. With workers of pytest-xdist, whichever comes first to a file reads it and hands what is
in it to the others, who parse nothing.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infratest.errors import NothingSelected
from infratest.gherkin.find import FeaturePath
from infratest.gherkin.sentence import Sentence
from infratest.gherkin.suite import Feature
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.plan.tasks import Task
from infratest.project.prepare import Request, choose, plan_for, read_feature
from infratest.project.session import Session
from infratest.pytest_plugin.once import Form, Shared
from infratest.user_steps.load import UsersSteps


class Scenarios:
    """The scenarios that a session has asked for.

    Args:
        tags, slug: of `--tags` and `--scenario`. lines: file -> the lines that were asked for; none: all of it.
    """

    def __init__(
        self,
        session: Session,
        shared: Shared,
        tags: Sequence[str] = (),
        slug: str | None = None,
        lines: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self.tags = tuple(tags)
        self._slug = slug
        self._lines = lines or {}
        self._session = session
        self._shared = shared
        self._features: dict[Path, Feature] = {}

    def tasks(self, path: Path) -> Sequence[Task]:
        """Return what there is to run in a feature file, without steps: nobody is asked where the hosts are.

        Raises:
            InfratestError: as of `infratest lint`.
        """
        name = "feature-" + hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        # One lock for all: a file may need another one read, to know that a name in it is a scenario's.
        tasks: Sequence[Task] = self._shared.once(name, lambda: self._read_tasks(path), TASKS, lock="features")
        return tasks

    def _read_tasks(self, path: Path) -> Sequence[Task]:
        lines = self._lines.get(str(path), ())
        features = tuple(f"{path}:{line}" for line in lines) or (str(path),)
        request = Request(features=features, tags=self.tags)
        try:
            choice = choose(self._session, request, self._read)
        except NothingSelected:
            return ()
        tasks = plan_for(self._session, request, choice, self._hosts(), steps=False).plan.tasks
        return tuple(task for task in tasks if self._slug in (None, task.scenario.slug))

    def _read(self, item: FeaturePath, users: UsersSteps | None) -> Feature:
        if item.path not in self._features:
            self._features[item.path] = read_feature(item, users)
        return self._features[item.path]

    def _hosts(self) -> list[Host]:
        """Return the hosts as the stack file has them."""
        return [
            Host(name=spec.name, groups=spec.groups, labels=spec.labels, address=spec.address or "192.0.2.1")
            for spec in self._session.stack.hosts
        ]


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> str | None:
        """Every worker has the sentences already: one goes by its pattern."""
        return value.pattern if isinstance(value, Sentence) else None

    def reducer_override(self, value: Any) -> Any:
        """Behave's texts with a line number cannot be copied by what they are made from."""
        if isinstance(value, str) and type(value) is not str:
            return _text, (type(value), str(value), vars(value))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._sentences = {sentence.pattern: sentence for sentence in vocabulary().sentences}

    def persistent_load(self, pattern: str) -> Sentence:
        return self._sentences[pattern]


def _text(kind: type[str], text: str, more: dict[str, Any]) -> str:
    made = str.__new__(kind, text)
    vars(made).update(more)
    return made


def _dumps(tasks: Sequence[Task]) -> bytes:
    file = io.BytesIO()
    _Pickler(file, protocol=5).dump(tasks)
    return file.getvalue()


#: In a folder that the session has made and that nobody else can write: what is read there is our own.
TASKS = Form(_dumps, lambda data: _Unpickler(io.BytesIO(data)).load())
