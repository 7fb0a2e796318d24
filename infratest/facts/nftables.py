"""The fact `nftables`: all that the kernel filters packets by, as nft has it. It has no argument: all is told.

`nft -s list ruleset` prints it without counters' numbers, in the form that nft reads: nft(8). Each block begins with
its kind and name, its lines are further in, and its end stands where its beginning does. Root alone may look.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts._shell import lines, without
from infratest.facts.base import Answer, Argument, Fact, single
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any


#: Characters of words that mean the same with and without quotes.
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


#: Families of tables, and the characters of a name: nft(8), NFT_NAME_MAXLEN of linux/netfilter.
FAMILIES = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
NAME_LENGTH = 255


def table_name(name: str) -> str:
    """Return a table's name as it is told, `inet filter`. Raises UserError where it can be none's."""
    family, *rest = name.split() or [""]
    if len(rest) != 1 or family not in FAMILIES:
        words = f'a table is named with its family, as "inet filter"; families are {", ".join(FAMILIES)}'
        raise UserError(f'the nftables table "{name}": {words}')
    return f"{family} {object_name(rest[0], 'table')}"


def object_name(name: str, noun: str) -> str:
    """Return the name of a chain, set or table. Raises UserError where it can be none's."""
    single(name, f"name of a {noun}")
    if len(name) > NAME_LENGTH or not name.isprintable() or any(one.isspace() or one in "{};\"'" for one in name):
        raise UserError(f'the nftables {noun} "{name}": a name holds no blank, quote, brace or semicolon')
    return name


class Ruleset(Record):
    """What packets are filtered by.

    Args:
        chains: each chain's table (`inet filter`), name, policy (empty for one that no hook leads to) and rules.
        sets: each set's or map's table, name and elements.
    """

    chains: tuple[tuple[str, str, str, tuple[str, ...]], ...] = ()
    sets: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def in_words(self) -> str:
        chains = ", ".join(f"{name} of {table} ({len(rules)} rules)" for table, name, _, rules in self.chains)
        return f"chains: {chains or 'none'}; {len(self.sets)} sets"


class NftablesFact(Fact):
    """What packets are filtered by."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        missing = without("nft", "nft (nftables) is not installed on this host")
        return missing + "nft -s list ruleset || exit 1\necho done\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done":
            raise FactError(f"the answer about nftables is not understood: {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, _ruleset(rows))


def plain(text: str, comment: bool = True) -> str:
    """Return a rule as it is compared: without counters, with one blank between its words.

    The elements of a set and flags have no order, and a word in quotes is the word; what else stands in quotes stays as
    it is.

    Args:
        comment: whether the comment at its end stays.
    """
    parts = _parts(text)
    if not comment and parts[-2:-1] == ["comment"]:
        parts = parts[:-2]
    words: list[str] = []
    waiting = iter([part for part in parts if part != "counter"])
    for part in waiting:
        if part == "," and words:
            words[-1] = ",".join(sorted([*words[-1].split(","), next(waiting, "")]))
        else:
            words.append(_set(waiting) if part == "{" else part)
    return " ".join(words)


def _parts(text: str) -> list[str]:
    """Return the words of a rule, what is in quotes, braces and commas."""
    found, word, within = list[str](), "", False
    for character in text:
        if character == '"':
            within = not within
        elif not within and (character.isspace() or character in "{},"):
            found += [word, character.strip()]
            word = ""
            continue
        word += character
    bare = [(each, each.strip('"')) for each in (*found, word) if each]
    return [name if name and not set(name) - NAME else each for each, name in bare]


def _set(parts: Iterator[str]) -> str:
    """Return a set, up to the brace that closes it, with its elements in order."""
    elements: list[list[str]] = [[]]
    for part in parts:
        if part == "}":
            break
        if part == ",":
            elements.append([])
        else:
            elements[-1].append(_set(parts) if part == "{" else part)
    return f"{{ {', '.join(sorted(' '.join(each) for each in elements))} }}"


def _ruleset(rows: Sequence[str]) -> Ruleset:
    """Return a ruleset as nft prints it. Raises FactError where that is not understood."""
    chains: list[tuple[str, str, str, tuple[str, ...]]] = []
    sets: list[tuple[str, str, tuple[str, ...]]] = []
    blocks = iter([row for row in rows if row and not row.lstrip().startswith("#")])
    for head in blocks:
        words = head.split()
        if words[0] != "table" or words[-1] != "{" or len(words) < 4:
            raise FactError(f"nft answers what is not understood: {cited(head, 120)}")
        table, inside = f"{words[1]} {words[2]}", iter(_inside(blocks, head))
        for row in inside:
            words = row.split()
            if words[-1] != "{" or len(words) < 3:
                continue  # flags and comments of the table
            block = _inside(inside, row)
            if words[0] == "chain":
                chains.append((table, words[1], *_chain(block)))
            elif words[0] in ("set", "map"):
                sets.append((table, words[1], _elements(block)))
    return Ruleset(tuple(chains), tuple(sets))


def _inside(blocks: Iterator[str], head: str) -> list[str]:
    """Return the lines of a block, up to the one that ends it."""
    end = head[: len(head) - len(head.lstrip("\t"))] + "}"
    inside: list[str] = []
    for row in blocks:
        if row == end:
            return inside
        inside.append(row)
    raise FactError(f"nft's answer ends within {cited(head.strip(), 120)}")


def _chain(inside: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return a chain's policy and its rules."""
    policy, rules = "", []
    for row in inside:
        text = row.strip()
        if text.startswith("type ") and " hook " in text:
            policy = text.rpartition("policy ")[2].rstrip(";") if "policy " in text else "accept"
        elif text and not text.startswith(("comment ", "#")):
            rules.append(text)
    return policy, tuple(rules)


def _elements(inside: Sequence[str]) -> tuple[str, ...]:
    """Return the elements of a set, which may go on over several lines."""
    text = " ".join(row.strip() for row in inside)
    _, begun, rest = text.partition("elements = {")
    if not begun:
        return ()
    found, word, within, depth = [], "", False, 1
    for character in rest:
        if character == '"':
            within = not within
        elif not within:
            depth += (character == "{") - (character == "}")
            if depth == 0 or (character == "," and depth == 1):
                found.append(" ".join(word.split()))
                word = ""
                if depth == 0:
                    break
                continue
        word += character
    else:
        raise FactError(f"nft's answer ends within the elements of a set: {rest[-80:]!r}")
    return tuple(each for each in found if each)
