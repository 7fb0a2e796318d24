"""Calls of a cloud's API, and what to do when one fails: the one way from the provider to libcloud.

A libcloud driver object keeps the state of its request on itself, so each thread has one of its own for each region.
What the cloud did not do and says so (too many requests) is asked again after a growing pause with jitter; what may
have been done (a lost reply, an error 500, a torn answer) only where asking twice does no harm. All pauses together
stay inside the caller's deadline, and inside PATIENCE.
"""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.client import responses
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.providers.cloud import clock
from infratest.providers.cloud.drivers import kind_of, names
from infratest.providers.cloud.drivers._endpoint import checked
from infratest.providers.cloud.drivers.base import Driver, Failure, Settings
from infratest.providers.cloud.silence import Silence

T = TypeVar("T")

#: Seconds for one answer. A cloud that takes longer is asked again, or given up.
ANSWER = 30.0
#: Seconds that failures of one call are borne in all.
PATIENCE = 60.0
FIRST_PAUSE, LAST_PAUSE = 0.5, 15.0  # seconds between two tries, before jitter
LEAST = 0.5  # seconds that a try needs to be worth it: a shorter one would only hide what the ones before it said
#: The longest wait between two looks at a deadline that a signal may end.
LOOK = 0.2

#: HTTP statuses by which an API says that it did nothing and can be asked later.
LATER = (429, 503)
#: Those after which nobody knows whether it was done.
UNSURE = (500, 502, 504)

#: Of a connection that never was; requests has one class for that and for one that broke.
NEVER_SENT = ("refused", "NameResolution", "resolve", "unreachable", "No route")


class CallFailed(ProviderError):
    """A call failed for good; `failure` says how the driver understands it, `unsure` that it may have been done."""

    def __init__(self, message: str, failure: Failure) -> None:
        super().__init__(message)
        self.failure = failure

    @property
    def unsure(self) -> bool:
        return self.failure.again == "unsure"


class Tries:
    """What came so far of one call. `lib`: libcloud's object that asks, None before there is one."""

    def __init__(self) -> None:
        self.lib: Any = None
        self.failures: list[Failure] = []

    def words(self, title: str, left: float) -> str:
        """Return what it waits for, in words. `left`: seconds."""
        connection = getattr(self.lib, "connection", None)
        host, port = getattr(connection, "host", ""), getattr(connection, "port", "")
        place = clean(f" ({host}{f':{port}' if port else ''})", 100) if host else ""
        answer = f"which answered: {self.failures[-1].words}" if self.failures else "which does not answer yet"
        return f"waiting for {title}{place}, {answer}; it is given {left:.0f} s more at most"


class Account:
    """One cloud and one user of it; for every thread.

    Args:
        settings: of the stack file. Raises UserError: a driver that nobody has, or settings that it cannot use.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.endpoint:
            checked(settings.endpoint, settings.driver, "endpoint")
        self.driver: Driver = _kind(settings.driver, settings.own_network)(settings)
        self.settings = settings
        self._own = threading.local()
        self._silence = Silence()
        self._seed = random.Random()  # noqa: S311 -- jitter, no secret
        if settings.ca and not Path(settings.ca).is_file():
            raise UserError(f"provider cloud: ca: {settings.ca} is no file: name one with the certificates to trust")

    @property
    def title(self) -> str:
        return f"{self.driver.name}{f' in {self.driver.region}' if self.driver.region else ''}"

    def call(
        self, what: str, work: Callable[[Any], T], deadline: Deadline, *, region: str = "", twice: bool = True
    ) -> T:
        """Return what the work returns when it is given a libcloud object.

        Args:
            what: is tried, for messages, as `making the server web-1`. region: another one than the account's own.
            twice: asking again does no harm where nobody knows whether it was done.
        Raises:
            CallFailed: what the cloud answered, or that it did not, and what to try.
        """
        tries = Tries()
        end = deadline.at_most(PATIENCE)
        with self._silence.watched(what, lambda: tries.words(self.title, end.left)):
            return self._insisted(what, work, deadline, region or self.driver.region, twice, tries)

    def _insisted(
        self, what: str, work: Callable[[Any], T], deadline: Deadline, region: str, twice: bool, tries: Tries
    ) -> T:
        """Do what `call` does, and note what comes of each try."""
        end, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        while True:
            try:
                tries.lib = self._lib(region)
                limit(tries.lib, deadline.at_most(ANSWER).left, self.settings.ca)
                return work(tries.lib)
            except InfratestError:
                raise
            except Exception as error:  # noqa: BLE001 -- libcloud raises what it likes, AttributeError for a torn answer
                failure = self._understood(error, tries.lib)
            tries.failures.append(failure)
            wait = max(pause * self._seed.uniform(0.5, 1.0), failure.after)
            useless = not failure.again or (failure.again == "unsure" and not twice)
            if useless or time.monotonic() + wait > end or deadline.left < wait + LEAST:
                raise CallFailed(self._message(what, failure, len(tries.failures)), failure)
            rest(wait, deadline)
            pause = min(pause * 2, LAST_PAUSE)

    def _lib(self, region: str) -> Any:
        kept = vars(self._own)
        if region not in kept:
            kept[region] = self.driver.connect(region)
        return kept[region]

    def _understood(self, error: Exception, lib: Any) -> Failure:
        """Return what an error means: by the driver's word, else by HTTP's."""
        status, headers = answered(lib, error)
        own = self.driver.explain(error, status)
        if own is not None and own.signed:
            return replace(own, advice=clock.advice(headers) or own.advice)
        return own if own is not None else generic(error, status, headers)

    def _message(self, what: str, failure: Failure, tries: int) -> str:
        often = f" ({tries} times)" if tries > 1 else ""
        advice = f"; {failure.advice}" if failure.advice else ""
        return f"{what}: {self.title} answered{often}: {failure.words}{advice}"


def _kind(name: str, own_network: bool) -> type[Driver]:
    try:
        import libcloud  # noqa: F401
    except ImportError as error:
        words = f"provider cloud needs apache-libcloud ({error}): pip install 'infratest[cloud]'"
        raise UserError(words) from None
    return kind_of(name, own_network)


def limit(lib: Any, seconds: float, ca: str) -> None:
    """Have the next request of a libcloud object end after so many seconds, with certificates verified.

    libcloud has one time-out for a connection's whole life, and one file of certificates for the whole process.
    """
    connection = getattr(lib, "connection", None)
    if connection is None:
        return
    if getattr(connection, "connection", None) is None:
        connection.connect()
    wire = connection.connection
    wire.session.timeout = max(seconds, 0.05)
    # requests would read ~/.netrc, and put what stands there for the host in place of the signature.
    wire.session.auth = _nothing_added
    wire.verify = True
    wire.ca_cert = ca or None


def _nothing_added(request: T) -> T:
    return request


def answered(lib: Any, error: Exception) -> tuple[int, Mapping[str, str]]:
    """Return status and headers of the HTTP answer that an error comes from, 0 where there was none.

    libcloud loses the status of an answer that it cannot read; its connection still has the answer.
    """
    import requests

    if isinstance(error, requests.exceptions.RequestException):
        return 0, {}
    code = getattr(error, "code", None)
    wire = getattr(getattr(lib, "connection", None), "connection", None)
    response = getattr(wire, "response", None)
    headers = {str(name).lower(): str(value) for name, value in dict(getattr(response, "headers", {})).items()}
    if isinstance(code, int):
        return code, headers
    return int(getattr(response, "status_code", 0)), headers


def generic(error: Exception, status: int, headers: Mapping[str, str]) -> Failure:
    """Return what an error means on every cloud."""
    import requests
    from libcloud.common.types import InvalidCredsError, MalformedResponseError

    words = clean(str(error), 400) or responses.get(status, type(error).__name__)
    if isinstance(error, MalformedResponseError):
        words = clean(f"{error.value}: {error.body}" if error.body else responses.get(status, "nothing"), 200)
    if isinstance(error, requests.exceptions.RequestException | ssl.SSLError):
        return _no_answer(error, words)
    if isinstance(error, InvalidCredsError) or status in (401, 403):
        return Failure(words=f"not let in: {words}", advice="look at the credentials and at what they may do")
    if status in LATER:
        after = headers.get("retry-after", "")
        seconds = float(after) if after.isdigit() else 0.0
        return Failure(words=f"HTTP {status}: {words}", advice="try again later", again="later", after=seconds)
    if status in UNSURE:
        return Failure(words=f"HTTP {status}: {words}", advice="its own log says more", again="unsure")
    if status == 404:
        return Failure(words=words, gone=True)
    if 200 <= status < 300 or isinstance(error, MalformedResponseError):
        if isinstance(error, AttributeError | LookupError | TypeError):  # Python's words for what is not in it
            words = "not in the form of this API"
        return Failure(
            words=f"an answer that cannot be read ({words})", advice="is `endpoint:` its API?", again="unsure"
        )
    return Failure(words=f"HTTP {status}: {words}" if status else words)


def _no_answer(error: Exception, words: str) -> Failure:
    """Return what it means that no answer came: a connection that never was has done nothing.

    Args:
        words: of requests, which show the whole URL and with it what is signed: for us alone.
    """
    import requests

    why, at = _why(error), _place(error)
    if isinstance(error, requests.exceptions.InvalidHeader):  # its words show the header, and what is in it
        return Failure(words="a key, token or secret holds a line break or a blank at its end, and cannot be sent")
    if isinstance(error, ValueError):
        return Failure(words=f"the request cannot be sent: {why}", advice="is `endpoint:` a URL?")
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return Failure(words=f"{why}{at}", advice=_about_certificate(why))
    if isinstance(error, requests.exceptions.ReadTimeout):
        return Failure(words=f"no answer in time{at}", advice="is the API up?", again="unsure")
    if isinstance(error, requests.exceptions.ConnectTimeout) or any(part in words for part in NEVER_SENT):
        return Failure(
            words=f"no connection{at}: {why}", advice="is the API up, and `endpoint:` its URL?", again="later"
        )
    return Failure(words=f"the connection{at} broke before the answer: {why}", again="unsure")


def _why(error: BaseException) -> str:
    """Return the words of what is innermost in an error: those around it show Python's objects and a whole URL."""
    while True:
        context = None if error.__suppress_context__ else error.__context__
        parts = (getattr(error, "reason", None), error.__cause__, context, *error.args)
        inner = next((part for part in parts if isinstance(part, BaseException)), None)
        if inner is None:
            return clean(getattr(error, "strerror", None) or str(error) or type(error).__name__, 200)
        error = inner


def _place(error: Exception) -> str:
    """Return where a request went, as ` at HOST:PORT`, without who asked."""
    url = str(getattr(getattr(error, "request", None), "url", None) or "")
    place = urlsplit(url).netloc.rpartition("@")[2]
    return f" at {clean(place, 100)}" if place else ""


def _about_certificate(why: str) -> str:
    if "expired" in why or "not yet valid" in why:
        return "is this machine's clock right? Else it needs a new certificate"
    if "match" in why or "not valid for" in why:
        return "name it in `endpoint:` as its certificate does"
    if "certificate" in why:
        return "its certificate is not trusted; name its authority's file with `ca:`"
    return "is `endpoint:` its URL, with its own port, and http only where it has no TLS?"


def rest(seconds: float, deadline: Deadline) -> None:
    """Wait, but no longer than the deadline, which a signal may end at any time."""
    end = time.monotonic() + seconds
    while (left := min(end - time.monotonic(), deadline.left)) > 0:
        time.sleep(min(left, LOOK))


def known_drivers() -> list[str]:
    """Return the drivers that have a file here."""
    return names()
