"""SSH keys of users, made by ssh-keygen; with modes that sshd takes, and with modes for which it refuses a file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, quoted

SET_UP = r"""
cd "$1"
for name in one two three old new odd open; do ssh-keygen -q -t ed25519 -N '' -C "$name@example" -f $name; done
ssh-keygen -q -t rsa -b 2048 -N '' -C 'an rsa key' -f rsa
ssh-keygen -q -t dsa -N '' -f dsa
for name in ak-both ak-none ak-open ak-foreign ak-folder; do
  useradd -m -s /bin/sh $name
  mkdir -m 700 /home/$name/.ssh
done
for name in ak-both ak-open ak-foreign ak-folder; do
  { echo '# keys'; cat one.pub; printf 'from="10.0.0.0/8",command="echo \\"a b\\"" '; cat rsa.pub
    echo; printf '#'; cat two.pub; printf 'cert-authority '; cat three.pub; cat one.pub; } \
    >/home/$name/.ssh/authorized_keys
  chown -R $name: /home/$name
done
useradd -m -s /bin/sh ak-group
useradd -m -s /bin/sh ak-shared
useradd -m -s /bin/sh -g ak-shared ak-other
for name in ak-group ak-shared; do
  mkdir -m 775 /home/$name/.ssh
  { cat one.pub; printf '\n  \t'; cat rsa.pub; printf '\302\240'; cat two.pub; cat dsa.pub
    printf 'expiry-time="20200101" '; cat old.pub; printf 'expiry-time="209901010000",pty '; cat new.pub
    printf 'bogus-option '; cat odd.pub; printf 'no-pty,command="unclosed '; cat open.pub; } \
    >/home/$name/.ssh/authorized_keys
  chmod 664 /home/$name/.ssh/authorized_keys
  chmod 775 /home/$name
  chown -R $name:$name /home/$name
done
for name in ak-none; do chown -R $name: /home/$name; done
chmod 666 /home/ak-open/.ssh/authorized_keys
chown nobody /home/ak-foreign/.ssh/authorized_keys
chmod 775 /home/ak-folder
"""
#: Names of the keys that sshd takes of each, and of those of which that is not known. Debian's sshd lets a user's own
#: group write home and files (its patch user-group-modes), no group of several.
TAKEN: dict[str, tuple[str, ...]] = {
    "ak-both": ("one", "rsa"), "ak-none": (), "ak-open": (), "ak-foreign": (), "ak-folder": ("one", "rsa"),
    "ak-group": ("one", "rsa", "new"), "ak-shared": (),
}  # fmt: skip
UNSURE = {"ak-group": ("odd",)}
#: Keys that are taken from some places alone (from=).
HANGING = {"ak-both": ("rsa",), "ak-folder": ("rsa",)}
NAMES = ("one", "two", "three", "rsa", "dsa", "old", "new", "odd", "open")


def objects(place: Path) -> dict[str, tuple[str, str]]:
    """Make users and keys; return each key's line and fingerprint."""
    # Where no sshd was started by the system since it was booted, `sshd -T` has not the folder that it insists on.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    subprocess.run(["sh", "-eu", "-s", str(place)], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL)
    made = {}
    for name in NAMES:
        path = place / f"{name}.pub"
        shown = subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True).stdout
        made[name] = (path.read_text().strip(), shown.split()[1])
    return made


def questions(objects: dict[str, tuple[str, str]]) -> Iterator[Question]:
    """Ask all sentences; homes are closed to others than root and the user, so that these do not know."""
    for user in (*TAKEN, "ak-nosuch"):
        has, unsure = TAKEN.get(user), UNSURE.get(user, ())
        subject = f"the user {quoted(user)}"
        # The shell of who is not root sees the folder .ssh, and not into it.
        other: bool | str = UNKNOWN if has is not None else ABSENT
        for name, (line, fingerprint) in objects.items():
            doubted = (*unsure, *HANGING.get(user, ()))
            truth = ABSENT if has is None else UNKNOWN if name in doubted else name in has
            for text in (line, fingerprint):
                words = f"log in with the key {quoted(text)}"
                yield from both(f"{subject} may {words}", f"{subject} may not {words}", truth, f"{user} {name}", other)
        right = set(has or ())
        for chosen in ((), ("one", "rsa"), ("rsa", "one"), ("one",), ("one", "two", "rsa"), ("one", "rsa", "new")):
            listed = quoted(", ".join(objects[name][1] for name in chosen))
            truth = ABSENT if has is None else UNKNOWN if unsure else set(chosen) == right
            words = f"exactly the authorized keys {listed}"
            yield from both(f"{subject} has {words}", f"{subject} does not have {words}", truth, user, other)
        if not unsure:
            count = ABSENT if has is None else len(right)
            yield from bounds(
                f"{subject} has {{}} authorized keys", count, user, unprivileged="" if has is None else UNKNOWN
            )
