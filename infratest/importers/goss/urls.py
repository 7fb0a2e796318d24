"""What goss asks of a URL: how it is asked, which stands in each sentence about it, and what its answer is.

A password stands in no feature: it becomes a parameter, and a note says which. Redirects are followed as goss does,
where that method's are.
"""

from __future__ import annotations

import re
from hashlib import sha256

from infratest.gherkin.writing import in_quotes
from infratest.importers.goss.matchers import Claim, NotCarried, claims, in_words
from infratest.importers.goss.resource import Resource, Wording

#: Characters of a parameter's name, as the stack file has it.
LONGEST_NAME = 63
#: What is asked of an answer; the other attributes say how it is asked.
ANSWERS = ("status", "timeout", "body", "headers")
#: Methods whose redirects are followed here.
FOLLOWED = ("GET", "HEAD", "POST")
#: Parts of a header's name by which its value is a secret.
_SECRET = re.compile(r"authorization|cookie|token|secret|password|api-?key", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
#: How request headers are begun in a sentence, the first and those behind it.
_WITH, _AND = "with the request header", "and the request header"


def subject(resource: Resource) -> str:
    """Return a URL and how it is asked, as each sentence about it begins.

    Raises:
        NotCarried: it cannot be asked so: each sentence would be about another answer.
    """
    body = resource.plain("request-body")
    method = str(resource.plain("method") or "GET").upper()
    words = [in_quotes(resource.key)]
    if method != "GET" or body:
        words.append(f"asked by {_word(resource, method)}")
    if body:
        words.append(f"with the body {in_quotes(str(body))}")
    words += _headers(resource)
    words += _login(resource)
    words += _certificates(resource)
    if proxy := resource.plain("proxy"):
        words.append(f"by the proxy {in_quotes(str(proxy))}")
    if _follows(resource):
        words.append("following redirects")
    return " ".join(words)


def asking(resource: Resource, attribute: str) -> list[Wording]:
    """Return nothing of what is said in the sentences about the answer, but what is to be known of it.

    Raises:
        NotCarried: it cannot be said, or nothing is asked of the answer.
    """
    line = resource.line_of(attribute)
    if not any(name in resource.attributes for name in ANSWERS):
        raise NotCarried("it says how a URL is asked, and nothing of its answer", line)
    subject(resource)
    if attribute == "password" and resource.plain("password"):
        return [_reference(_parameter(resource, str(resource.plain("username"))), line)]
    if attribute == "request-headers":
        return [_reference(_parameter(resource, name), at) for name, _, at in _pairs(resource) if _SECRET.search(name)]
    return []


def status(resource: Resource, attribute: str) -> list[Wording]:
    """Return the status of an answer, and where goss would have gone on to another."""
    value = resource.attributes[attribute]
    found = claims(value)
    if len(found) == 1 and found[0].name == "one of":
        words = f"answers {'one' if found[0].holds else 'none'} of {in_quotes(', '.join(found[0].value))}"
    elif len(found) == 1 and found[0].name == "equal" and isinstance(found[0].value, int):
        words = f"{'answers' if found[0].holds else 'does not answer'} {found[0].value}"
    else:
        raise NotCarried(f"there is no sentence for {in_words(found[0])} of a status", value.line)
    worded = [Wording(f"{subject(resource)} {words} from the host", value.line)]
    if not _is_set(resource, "no-follow-redirects") and not _follows(resource):
        words = "goss follows redirects of such a request; the sentence is about the first answer"
        worded.append(Wording(words, value.line, Wording.NOTE))
    return worded


def answers_in_time(resource: Resource, attribute: str) -> list[Wording]:
    """Return the time of an answer, which is said with its status."""
    value, code = resource.attributes[attribute], resource.plain("status")
    if not isinstance(value.data, int) or not isinstance(code, int):
        raise NotCarried("the time of an answer is said with its status: both are whole numbers", value.line)
    words = f"answers {code} in less than {value.data} ms"
    return [Wording(f"{subject(resource)} {words} from the host", value.line)]


def headers(resource: Resource, attribute: str) -> list[Wording]:
    """Return what is looked for in the headers, each a line `Name: value` as goss writes it."""
    worded = []
    for claim in claims(resource.attributes[attribute], reader=True):
        pattern = _of_header(claim)
        if pattern is None:
            words = f"there is no sentence for it: {claim.value if claim.name == 'refused' else in_words(claim)}"
            worded.append(Wording(words, claim.line, Wording.LEFT))
            continue
        words = f"has {'a' if claim.holds else 'no'} header matching {in_quotes(pattern)}"
        worded.append(Wording(f"{subject(resource)} {words} from the host", claim.line))
    return worded


def _of_header(claim: Claim) -> str | None:
    """Return the pattern of a claim about one header."""
    text = _SPECIAL.sub(r"\\\1", str(claim.value))
    return {
        "line regexp": str(claim.value), "substring": text, "line substring": text, "line equal": f"^{text}$",
        "line prefix": f"^{text}", "line suffix": f"{text}$",
    }.get(claim.name)  # fmt: skip


# How it is asked


def _headers(resource: Resource) -> list[str]:
    pairs = _pairs(resource)
    if len(pairs) > 3:
        raise NotCarried("a sentence has room for three request headers", resource.line_of("request-headers"))
    words = []
    for place, (name, text, _) in enumerate(pairs):
        secret = f'{in_quotes(name)[:-1]}: {{param.{_parameter(resource, name)}}}"'
        quoted = secret if _SECRET.search(name) else in_quotes(f"{name}: {text}")
        words.append(f"{_AND if place else _WITH} {quoted}")
    return words


def _pairs(resource: Resource) -> list[tuple[str, str, int]]:
    """Return name, value and line of each request header."""
    value = resource.attributes.get("request-headers")
    if value is None:
        return []
    if not isinstance(value.data, list):
        raise NotCarried("request headers are a list, each `Name: value`", value.line)
    pairs = []
    for each in value.data:
        name, colon, text = each.written.partition(":")
        if not colon or not name.strip():
            raise NotCarried(f"{each.data!r} is no header: `Name: value`", each.line)
        if name.strip().lower() == "host" and text.strip().lower() == _host(resource):
            continue  # as it is sent anyway
        pairs.append((name.strip(), text.strip(), each.line))
    return pairs


def _host(resource: Resource) -> str:
    """Return what a request says in Host, where nobody asks it to say another."""
    return re.split(r"[/?#]", resource.key.partition("://")[2].lower(), maxsplit=1)[0].rpartition("@")[2]


def _login(resource: Resource) -> list[str]:
    user, password = resource.plain("username"), resource.plain("password")
    if not user and not password:
        return []
    if not user:
        raise NotCarried("a password without a username", resource.line_of("password"))
    said = f"{{param.{_parameter(resource, str(user))}}}" if password else ""
    return [f'logged in as {in_quotes(str(user))[:-1]}:{said}"']


def _certificates(resource: Resource) -> list[str]:
    """Return the files of certificates; of what a plain URL is asked by, TLS is no part."""
    if not resource.key.lower().startswith("https:") and not _follows(resource):
        return []
    words = []
    own, key = resource.plain("cert-file"), resource.plain("key-file")
    if key and not own:
        raise NotCarried("a key without its certificate (cert-file)", resource.line_of("key-file"))
    if own:
        words.append(f"by the certificate {in_quotes(str(own))}")
    if key:
        words.append(f"and the key {in_quotes(str(key))}")
    if _is_set(resource, "allow-insecure"):
        words.append("trusting any certificate")
    elif authority := resource.plain("ca-file"):
        words.append(f"verified by the CA file {in_quotes(str(authority))}")
    return words


def _follows(resource: Resource) -> bool:
    method, sends = str(resource.plain("method") or "GET").upper(), bool(resource.plain("request-body"))
    return method in FOLLOWED and not (method == "GET" and sends) and not _is_set(resource, "no-follow-redirects")


def _is_set(resource: Resource, attribute: str) -> bool:
    value = resource.plain(attribute)
    if value not in (None, True, False):
        raise NotCarried("expected true or false", resource.line_of(attribute))
    return value is True


def _word(resource: Resource, method: str) -> str:
    if not method.isalpha():
        raise NotCarried(f"{method!r} is no method", resource.line_of("method"))
    return method


def _parameter(resource: Resource, of: str) -> str:
    """Return the name of the parameter that a secret becomes: what it is of, and the URL; a long one is cut."""
    place = resource.key.partition("://")[2] or resource.key
    name = "_".join(re.findall(r"[a-z0-9]+", f"secret of {of} at {place}".lower()))
    if len(name) <= LONGEST_NAME:
        return name
    mark = sha256(name.encode()).hexdigest()[:8]  # two that begin alike are two
    return f"{name[: LONGEST_NAME - len(mark) - 1]}_{mark}"


def _reference(parameter: str, line: int) -> Wording:
    words = f"the secret of this line is not carried over: give it to the parameter {parameter} in the stack file"
    return Wording(f"{words}, `{parameter}: {{type: string, secret: true, from: {{env: NAME}}}}`", line, Wording.NOTE)
