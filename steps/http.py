"""Sentences about what a URL answers, from the controller unless they say `from the host`."""

from __future__ import annotations

from infratest.checks.http import UrlAnswers, UrlContains, UrlHeader, UrlStatus, UrlTime
from infratest.gherkin.sentence import check


@check('"{url}" answers', negation='"{url}" does not answer', example='"http://shop.example/" answers')
def url_answers(url: str) -> UrlAnswers:
    """Any answer comes, of whatever status; redirects are not followed."""
    return UrlAnswers(url)


@check(
    '"{url}" answers {status:number}',
    negation='"{url}" does not answer {status:number}',
    example='"https://shop.example/" answers 200',
)
def url_status(url: str, status: int) -> UrlStatus:
    """The status of the answer; redirects are not followed, certificates are verified."""
    return UrlStatus(url, status)


@check(
    '"{url}" answers {status:number} in {bound:time}',
    example='"https://shop.example/" answers 200 in less than 500 ms, warning 200 ms',
)
def url_time(url: str, status: int) -> UrlTime:
    """The status of the answer, and the time until it is complete."""
    return UrlTime(url, status)


@check(
    '"{url}" contains "{text}"',
    negation='"{url}" does not contain "{text}"',
    example='"https://shop.example/" contains "Welcome"',
)
def url_contains(url: str, text: str) -> UrlContains:
    """The text occurs in the answer's body, decoded as it says, whatever its status; past 1 MiB it is not known."""
    return UrlContains(url, text)


@check(
    '"{url}" has the header "{header}" with "{value}"',
    negation='"{url}" does not have the header "{header}" with "{value}"',
    example='"https://shop.example/" has the header "X-Frame-Options" with "DENY"',
)
def url_header(url: str, header: str, value: str) -> UrlHeader:
    """A header of the answer has just this value; blanks around a value are no part of it."""
    return UrlHeader(url, header, value)
