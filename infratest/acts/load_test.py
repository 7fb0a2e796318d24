"""A URL of a host of the stack asked at an even pace: `"http://web-1/" is asked 50 times a second for 10 s`."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from infratest.acts.base import Access, Act
from infratest.cleaning import clean, ending
from infratest.deadline import Deadline
from infratest.errors import ActError, ProviderError, UserError
from infratest.facts.base import Need
from infratest.facts.load_test import LoadTest
from infratest.units import human
from infratest.web_address import web_address

LOCUSTFILE = Path(__file__).with_name("_locustfile.py")
#: Requests a second at most, seconds at most: what one process of this machine can send, and a test may last.
FASTEST, LONGEST = 500, 300.0
#: Seconds that one answer may take.
PATIENCE = 10.0
#: Seconds that Locust takes for itself, its imports and its users.
OWN = 20.0
#: Milliseconds by which a request may come after its time: each answer's own time is measured from then.
LATEST = 1000.0


@dataclass(frozen=True)
class LoadTestAct(Act):
    """So many requests a second, by Locust, from the controller; what came of them is for the sentences after it."""

    url: str = field(metadata={"description": "the URL, of a host of this stack"})
    rate: int = field(metadata={"description": f"requests a second, at most {FASTEST}"})
    duration: float = field(metadata={"description": f"seconds, at most {LONGEST:g}"})

    seconds = LONGEST + PATIENCE + OWN

    def __post_init__(self) -> None:
        web_address(self.url)
        if not 1 <= self.rate <= FASTEST:
            raise UserError(f'"{self.url}" is asked {self.rate} times a second: from 1 to {FASTEST} can be asked')
        if not 1 <= self.duration <= LONGEST:
            words = f"{human(self.duration, 's')}: from 1 s to {human(LONGEST, 's')} can be said"
            raise UserError(f'"{self.url}" is asked {self.rate} times a second for {words}')

    @property
    def address(self) -> str:
        return web_address(self.url).host

    def apply(self, access: Access, deadline: Deadline) -> str:
        if deadline.left < self.duration:
            raise ActError(
                f"the load on {self.url} lasts {human(self.duration, 's')} and cannot end within the "
                f"{human(max(0.0, deadline.left), 's')} that are left: give it more with --timeout or @timeout:"
            )
        there = web_address(self.url)
        asked = {
            "scheme": there.scheme,
            "name": there.host,
            "authority": there.authority,
            "target": there.target,
            "connect": access.endpoint(there.host, there.port),
            "rate": self.rate,
            "seconds": self.duration,
            "patience": PATIENCE,
        }
        outcome = self._measured(asked, deadline)
        access.keep(Need("load-test", (self.url,)), outcome)
        return outcome.in_words()

    def _measured(self, asked: dict[str, object], deadline: Deadline) -> LoadTest:
        with tempfile.TemporaryDirectory(prefix="infratest-load-") as folder:
            result = Path(folder, "result.json")
            # As many users as may wait at once: all that are asked within one's patience.
            users = min(round(self.rate * self.duration), int(self.rate * PATIENCE) + 1)
            self._run(json.dumps({**asked, "users": users, "result": str(result)}), users, folder, deadline)
            try:
                answer = json.loads(result.read_text())
            except (OSError, ValueError) as error:
                raise ActError(f"the load on {self.url}: Locust left no result: {error}") from error
        if answer["late"] > LATEST:
            raise ActError(
                f"the load on {self.url}: this machine could not ask {self.rate} times a second: requests were up to "
                f"{human(answer['late'] / 1000, 's')} late; ask less often, or from a machine that is less busy"
            )
        times = tuple(sorted(each / 1000 for each in answer["times"]))
        return LoadTest(times, tuple((clean(kind, 60), int(many)) for kind, many in answer["errors"].items()))

    def _run(self, asked: str, users: int, folder: str, deadline: Deadline) -> None:
        from infratest.local_program import call

        program = shutil.which("locust")
        if program is None:
            raise ActError("the load generator Locust is not installed here: pipx install locust")
        command = [program, "-f", str(LOCUSTFILE), "--headless", "--skip-log", "--only-summary", "--stop-timeout", "0"]
        many = ["--users", str(users), "--spawn-rate", str(users)]
        # It reads settings from the folder that it is run in and from the user's own: these are a load of its own.
        surroundings = {"INFRATEST_LOAD": asked, "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            status, _, words = call([*command, *many], deadline, environment=surroundings, folder=folder)
        except ProviderError as error:
            raise ActError(f"the load on {self.url}: {error}") from error
        if status:
            raise ActError(f"the load on {self.url}: Locust failed: {clean(ending(words.strip(), 300), 300)}")
