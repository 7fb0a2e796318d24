"""A filter of LDAP as people write it (RFC 4515), and as it is said to a server: BER (X.690), by RFC 4511, 4.5.1.7.

Sentences make it when they are read, so that a filter that is none is told then.
"""

from __future__ import annotations

from infratest.errors import UserError

#: Comparisons, by how they are written, and their tags; PRESENT and SUBSTRINGS look like the first.
COMPARISONS = {">=": 0xA5, "<=": 0xA6, "~=": 0xA8, "=": 0xA3}
AND, OR, NOT, SUBSTRINGS, PRESENT = 0xA0, 0xA1, 0xA2, 0xA4, 0x87
#: How deep a filter may be.
DEPTH = 20

_ATTRIBUTE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;")


def ber(tag: int, content: bytes) -> bytes:
    """Return an element of BER."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def ldap_filter(text: str) -> bytes:
    """Return a filter in BER. Raises UserError: it is none."""
    try:
        end, data = _filter(text, 0, 0)
    except (IndexError, ValueError):
        end, data = -1, b""
    if end != len(text):
        raise UserError(f'"{text}": expected a filter of LDAP, as (uid=anna) or (&(objectClass=person)(mail=*))')
    return data


def _filter(text: str, at: int, depth: int) -> tuple[int, bytes]:
    """Return where a filter in brackets ends, and its element. Raises ValueError, IndexError."""
    if text[at] != "(" or depth > DEPTH:
        raise ValueError(text)
    sign = text[at + 1]
    if sign not in "&|!":
        end = text.index(")", at)
        return end + 1, _comparison(text[at + 1 : end])
    at, parts = at + 2, []
    while text[at] == "(":
        at, part = _filter(text, at, depth + 1)
        parts.append(part)
    if text[at] != ")" or not parts or (sign == "!" and len(parts) > 1):
        raise ValueError(text)
    return at + 1, ber({"&": AND, "|": OR, "!": NOT}[sign], b"".join(parts))


def _comparison(text: str) -> bytes:
    name, mark, value = text.partition("=")
    if mark and name[-1:] in (">", "<", "~"):
        name, mark = name[:-1], f"{name[-1]}="
    if not mark or not is_attribute(name) or "(" in value:
        raise ValueError(text)
    attribute = name.encode("ascii")
    if mark != "=" or "*" not in value:
        return ber(COMPARISONS[mark], ber(0x04, attribute) + ber(0x04, _value(value)))
    if value == "*":
        return ber(PRESENT, attribute)
    first, *between, last = value.split("*")
    if not all(between):
        raise ValueError(text)
    parts = [ber(0x80, _value(first))] if first else []
    parts += [ber(0x81, _value(each)) for each in between]
    parts += [ber(0x82, _value(last))] if last else []
    return ber(SUBSTRINGS, ber(0x04, attribute) + ber(0x30, b"".join(parts)))


def _value(text: str) -> bytes:
    r"""Return a value with its `\2a` undone. Raises ValueError."""
    first, *rest = text.split("\\")
    data = first.encode("utf-8")
    for part in rest:
        if len(part) < 2:
            raise ValueError(text)
        data += bytes.fromhex(part[:2]) + part[2:].encode("utf-8")
    return data


def is_attribute(name: str) -> bool:
    """Whether this can be an attribute's name, with its options: `mail`, `cn;lang-de`, `2.5.4.3`."""
    return bool(name) and set(name) <= _ATTRIBUTE and name[0].isalnum()
