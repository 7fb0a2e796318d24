"""A systemd timer that ends a stack when its lease has expired. For `reap`, `up` and `status`.

A service, which runs `infratest reap --expired`, and a timer for each environment of a state directory: of the system
where root installs them, else of the user. No secret is written into them: a unit's file is for everybody to read.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infratest.cleaning import clean
from infratest.errors import InfratestError, UserError
from infratest.providers.base import Provider
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir, owner

#: How often it looks, as systemd.time(7) has it, and in words.
EVERY, EVERY_WORDS = "*:0/5", "every 5 minutes"
#: Seconds that one run may take.
LONGEST = 900
#: Variables that every run may need, where they are set; a provider names its own (`Provider.environment`).
VARIABLES = (
    "PATH", "HOME", "LANG", "INFRATEST_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
#: Of the state directory: what a user writes for the timer alone, such as credentials.
FILE = "timer.env"
#: The system's units that an administrator makes, and what is there where systemd is process 1 (sd_booted(3)).
SYSTEM, BOOTED = "etc/systemd/system", "run/systemd/system"
#: Of the machine whose systemd is meant.
ROOT = Path("/")
SECONDS = 30.0

Call = Callable[[Sequence[str]], str]


@dataclass(frozen=True, kw_only=True)
class Timer:
    """The timer of one environment of a state directory.

    Args:
        name: of its units, without their endings. folder: where these are. user: they are a user's, not the system's.
    """

    name: str
    folder: Path
    user: bool

    @property
    def unit(self) -> str:
        return f"{self.name}.timer"

    @property
    def files(self) -> tuple[Path, Path]:
        return self.folder / f"{self.name}.service", self.folder / self.unit


def of(stack: StackFile, state: str, *, user: bool, root: Path = ROOT) -> Timer:
    """Return the timer of a stack, there or not.

    Args:
        state: the state directory's id. user: the user's own, not the system's. root: of the machine.
    """
    # No name of a stack or an environment holds a colon: with a hyphen, shop/dev and shop-dev had one timer.
    place = f"{stack.name}:{stack.env}" if stack.env else stack.name
    parts = ("infratest-reap", place, state[:8])
    return Timer(name="-".join(part for part in parts if part), folder=_folder(user, root), user=user)


def mine() -> bool:
    """Return whether the timers that this process installs are the user's own: root's are the system's."""
    return os.geteuid() != 0


def texts(stack: StackFile, state: StateDir, provider: type[Provider], words: Sequence[str] = ()) -> tuple[str, str]:
    """Return service and timer as systemd.service(5) and systemd.timer(5) have them.

    Args:
        words: the command, infratest's own without it.
    Raises:
        UserError: a path that no unit can hold.
    """
    title = f"{stack.name}/{stack.env}" if stack.env else stack.name
    command = [*(words or _command(stack, state))]
    names = (*VARIABLES, *provider.environment)
    values = {name: os.environ[name] for name in names if os.environ.get(name)} | {"INFRATEST_OWNER": owner()}
    service = [
        "[Unit]",
        f"Description=Remove what of the stack {title} has expired",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={_path(str(stack.folder))}",
        *(f"Environment={_quoted(f'{name}={value}', command=False)}" for name, value in sorted(values.items())),
        f"EnvironmentFile=-{_path(state.file(FILE))}",
        f"ExecStart={' '.join(map(_quoted, command))}",
        f"TimeoutStartSec={LONGEST}",
    ]
    timer = [
        "[Unit]",
        f"Description=Remove what of the stack {title} has expired, {EVERY_WORDS}",
        "",
        "[Timer]",
        f"OnCalendar={EVERY}",
        "AccuracySec=30s",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(service) + "\n", "\n".join(timer) + "\n"


def install(timer: Timer, texts: tuple[str, str], call: Call | None = None) -> bool:
    """Write the units and start the timer; return whether anything had to be changed.

    Args:
        call: runs systemctl with these words.
    Raises:
        InfratestError: systemd did not take them.
    """
    call = call or _systemctl(timer.user)
    try:
        timer.folder.mkdir(parents=True, exist_ok=True)
        changed = [_write(path, text) for path, text in zip(timer.files, texts, strict=True)]
    except OSError as error:
        raise InfratestError(f"{error.filename}: could not be written: {error.strerror}") from error
    if any(changed):
        call(["daemon-reload"])
    call(["enable", "--now", timer.unit])
    if changed[1]:
        call(["restart", timer.unit])
    return any(changed)


def remove(timer: Timer, call: Call | None = None) -> bool:
    """Stop the timer and remove its units; return whether it was there. Raises InfratestError."""
    if not any(path.exists() for path in timer.files):
        return False
    call = call or _systemctl(timer.user)
    if timer.files[1].exists():
        call(["disable", "--now", timer.unit])
    try:
        for path in timer.files:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise InfratestError(f"{error.filename}: could not be removed: {error.strerror}") from error
    call(["daemon-reload"])
    return True


def running(stack: StackFile, state: str, root: Path = ROOT, call: Call | None = None) -> Timer | None:
    """Return the timer that is at work for a stack, None where there is none. Asks systemd where its unit is there."""
    for user in (False, True):
        timer = of(stack, state, user=user, root=root)
        if not timer.files[1].exists() or not (root / BOOTED).is_dir():
            continue
        try:
            (call or _systemctl(user))(["is-active", "--quiet", timer.unit])
        except InfratestError:
            continue
        return timer
    return None


def lingers() -> bool:
    """Return whether the user's own systemd, and so his timers, go on when he has logged out (loginctl(1))."""
    return (Path("/var/lib/systemd/linger") / pwd.getpwuid(os.getuid()).pw_name).exists()


def _folder(user: bool, root: Path) -> Path:
    if not user:
        return root / SYSTEM
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


def _command(stack: StackFile, state: StateDir) -> list[str]:
    """Return what the service runs; -P: the stack's folder is no place to load modules from."""
    options = ["--stack", str(stack.path.absolute()), *(["--env", stack.env] if stack.env else [])]
    return [sys.executable, "-P", "-m", "infratest", "reap", "--expired", *options, "--state", state.folder]


def _systemctl(user: bool) -> Call:
    """Return what runs systemctl(1) and returns what it printed. Raises InfratestError: systemd does not run here."""

    def call(words: Sequence[str]) -> str:
        command = ["systemctl", *(["--user"] if user else []), *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InfratestError(f"{' '.join(command)}: {error}") from None
        if done.returncode:
            raise InfratestError(f"{' '.join(command)}: {clean(done.stderr.strip(), 400) or f'exit {done.returncode}'}")
        return done.stdout

    return call


def refuse_without_systemd() -> None:
    """Raise InfratestError where systemd does not run this machine."""
    if not (ROOT / BOOTED).is_dir():
        raise InfratestError(
            "systemd does not run this machine, so that it has no timers; have cron run `infratest reap --expired`"
        )


def _write(path: Path, text: str) -> bool:
    """Write a unit, whole or not at all; return whether it was another one before."""
    if path.exists() and path.read_text("utf-8") == text:
        return False
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.chmod(0o644)
    fresh.replace(path)
    return True


def _quoted(word: str, command: bool = True) -> str:
    """Write a word for a unit: in quotes, without specifiers, and in a command without variables (systemd.unit(5))."""
    _refuse_control(word)
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text.replace("$", "$$") if command else text}"'


def _path(text: str) -> str:
    """Write a path that is the whole value of a setting, where quotes would be part of it."""
    _refuse_control(text)
    return text.replace("%", "%%")


def _refuse_control(text: str) -> None:
    if not text.isprintable():
        raise UserError(f"{clean(repr(text), 200)}: a unit of systemd cannot hold this; use another path")


def variables(values: Mapping[str, str], provider: type[Provider]) -> list[str]:
    """Return the names of variables that look like credentials and that no unit has."""
    marks = ("SECRET", "PASSWORD", "TOKEN", "ACCESS_KEY", "API_KEY", "CREDENTIAL")
    known = {*VARIABLES, *provider.environment}
    return sorted(name for name in values if name not in known and values[name] and any(m in name for m in marks))
