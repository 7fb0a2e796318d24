"""`type: keypair`: a key of somebody's that is let in to hosts, beside the stack's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infratest.cleaning import clean, decoded
from infratest.components.base import Component, ForHosts
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.paths import path_of
from infratest.providers import _public_key
from infratest.providers._component import ComponentSpec
from infratest.providers._component import KeyPair as Wish
from infratest.providers.base import HostSpec
from infratest.transports.base import Transport

#: How the line of a public key begins (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"), without options before it.
KINDS = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")

#: $1 are the lines, none to have them taken away. Only what stands between the two marks is ours.
SCRIPT = r"""
begin='# keys of this stack, by infratest' end='# end of the keys of this stack'
umask 077; file=$HOME/.ssh/authorized_keys
[ -n "$1" ] || [ -e "$file" ] || exit 0
mkdir -p "$HOME/.ssh" && touch "$file" && sed "/^$begin\$/,/^$end\$/d" "$file" >"$file.new" || exit 1
if [ -n "$1" ]; then
    [ -z "$(tail -c 1 "$file.new")" ] || echo >>"$file.new" || exit 1
    printf '%s\n%s\n%s\n' "$begin" "$1" "$end" >>"$file.new" || exit 1
fi
cat "$file.new" >"$file" && rm -f "$file.new"
"""


@dataclass(frozen=True, kw_only=True)
class Options(ForHosts):
    """A key that may log in to hosts."""

    public: str = field(
        metadata={
            "title": "the path of a public key",
            "description": "Of a keypair: its public half, as ssh-keygen writes it, relative to the stack file.",
            "source": True,
        }
    )


class Keypair(Component):
    """A key that may log in to hosts, as their login user, beside the stack's own."""

    options: Options
    on_hosts = "a line of authorized_keys"

    def wish(self, hosts: Sequence[HostSpec]) -> Wish:
        path = path_of(self.folder, self.options.public)
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            words = getattr(error, "strerror", None) or "it is no text"
            raise UserError(f"{self.where}.public: {path} cannot be read: {words}") from None
        if "PRIVATE KEY" in text:
            raise UserError(
                f"{self.where}.public: {path} is a private key; name its public half, mostly {path.name}.pub"
            )
        words = text.split()
        if "\n" in text or len(words) < 2 or not words[0].startswith(KINDS) or not _public_key.blob(text):
            raise UserError(f"{self.where}.public: {path} is no public key as ssh-keygen writes it, one line")
        return Wish(public=clean(text, 16_000))

    @classmethod
    def words(cls, spec: ComponentSpec) -> str:
        public = spec.wish.public if isinstance(spec.wish, Wish) else ""
        return f"lets in {' '.join(public.split()[2:]) or 'a key'} ({_public_key.fingerprint(public)})"

    @classmethod
    def place(
        cls,
        components: Sequence[ComponentSpec],
        transport: Transport,
        addresses: Mapping[str, Sequence[str]],
        stack: str,
        deadline: Deadline,
    ) -> None:
        """Write the keys into the authorized_keys of the login user, between two marks."""
        lines = "\n".join(one.wish.public for one in components if isinstance(one.wish, Wish))
        result = transport.run(["sh", "-c", SCRIPT, "sh", lines], deadline)
        if result.exit != 0:
            said = clean(decoded(result.stderr).strip(), 400) or f"exit {result.exit}"
            raise ProviderError(f"{transport.host.name}: its authorized_keys could not be written: {said}")
