"""The steps of cucumber-nagios about pages (lib/cucumber/nagios/steps/http_steps.rb, http_header_steps.rb).

What it did by Webrat and mechanize is a session here (steps/browsing.py): one a scenario, gone on with by each step.
"""

from __future__ import annotations

import re
from typing import Any

from infratest.gherkin.writing import in_quotes
from infratest.importers.cucumber_nagios.declared import about, ask, needed, plain, ruby_pattern, step, unread


def act(context: Any, sentence: str) -> None:
    """Go on with the session by a sentence of ours."""
    context.execute_steps(f"When {sentence}")


def goes(context: Any, sentence: str) -> None:
    """Go on to another page; in a scenario that says that a request should fail, whatever it answers."""
    failing = any(FAILING.fullmatch(step.name) for step in context.scenario.all_steps)
    act(context, f"{sentence}{' whatever it answers' if failing else ''}")
    about(context).fetched = False


@step(r'I go to "?([^"]*)"?', "I go to")
def go_to(context: Any, url: str) -> None:
    """Open a page: the session begins with the first."""
    logged_in = f" logged in as {in_quotes(about(context).login)}" if about(context).login and "://" in url else ""
    goes(context, f"the page {in_quotes(url)} is opened{logged_in}")
    about(context).url = url


@step(r'I fetch headers from "(.*)"', "I fetch headers from")
def fetch(context: Any, url: str) -> None:
    """Say which page the next steps are about."""
    about(context).url, about(context).fetched = url, True


def page_of(context: Any) -> str:
    """Return the page as the subject of a sentence: that whose headers were fetched, or that of the session."""
    return headers_of(context) if about(context).fetched else "the page"


@step(r"I am HTTP digest authenticated with the following credentials:", "I am using basic authentication")
def logged_in(context: Any) -> None:
    """Say who asks: Basic authentication, as there; the password is a value of the stack file's secrets."""
    for row in context.table:
        about(context).login = f"{row['username']}:{row['password']}"


@step(r'I press "(.*)"', "I press")
def press(context: Any, name: str) -> None:
    goes(context, f"the button {in_quotes(name)} is pressed")


@step(r'I follow "(.*)"', "I follow")
def follow(context: Any, name: str) -> None:
    goes(context, f"the link {in_quotes(name)} is followed")


@step(r'I submit the form named "(.*)"', "I submit the form named")
def submit(context: Any, name: str) -> None:
    goes(context, f"the form {in_quotes(name)} is sent")


@step(r'I fill in "(.*)" with "(.*)"', "I fill in ... with")
def fill_in(context: Any, field: str, value: str) -> None:
    act(context, f"the field {in_quotes(field)} is filled with {in_quotes(value)}")


@step(r'I select "(.*)" from "(.*)"', "I select ... from")
def select(context: Any, option: str, field: str) -> None:
    act(context, f"the option {in_quotes(option)} of {in_quotes(field)} is selected")


@step(r'I check "(.*)"', "I check")
def tick(context: Any, field: str) -> None:
    act(context, f"the box {in_quotes(field)} is ticked")


@step(r'I uncheck "(.*)"', "I uncheck")
def untick(context: Any, field: str) -> None:
    act(context, f"the box {in_quotes(field)} is unticked")


@step(r'I choose "(.*)"', "I choose")
def choose(context: Any, field: str) -> None:
    act(context, f"the radio button {in_quotes(field)} is chosen")


@step(r'I attach the file at "(.*)" to "(.*)" ?', "I attach the file at")
def attach(context: Any, path: str, field: str) -> None:
    act(context, f"the file {in_quotes(path)} is attached to {in_quotes(field)}")


@step(r"the (?:.*) ?request should succeed", "the request should succeed")
def succeeds(context: Any) -> None:
    ask(context, f"{page_of(context)} answers 200")


FAILING = re.compile(r"the (?:.*) ?request should fail")


@step(FAILING.pattern, "the request should fail")
def fails(context: Any) -> None:
    ask(context, f"{page_of(context)} does not answer 200")


#: A text, which may hold quotes; not one with the part of a page behind it, of which nothing is asked here.
TEXT = r'"((?:(?!" within ").)*)"'


@step(f"I should see {TEXT}", "I should see", unread)
def should_see(context: Any, text: str) -> None:
    # As Ruby reads it with /m: a dot is a line end too, and ^ and $ are at each.
    ask(context, f"{page_of(context)} {page_text('contains', 'matches', text)}")


@step(f"I should not see {TEXT}", "I should not see", unread)
def should_not_see(context: Any, text: str) -> None:
    ask(context, f"{page_of(context)} {page_text('does not contain', 'does not match', text)}")


def page_text(contains: str, matches: str, text: str) -> str:
    """Return what is said of a text in a page, which is a pattern there."""
    meant = plain(text)
    return (
        f"{contains} {in_quotes(meant)}"
        if meant is not None
        else f"{matches} {in_quotes(f'(?ms){ruby_pattern(text)}')}"
    )


@step(r"I should see an? (\w+) message", "I should see an error message")
def should_see_message(context: Any, kind: str) -> None:
    ask(context, f"the page has the element {in_quotes(f'.{kind}')}")


def headers_of(context: Any) -> str:
    """Return the page whose headers are asked for, as the subject of a sentence: the last one, as there."""
    url = needed(about(context).url, 'which page: I fetch headers from "http://shop.example/"')
    login = f" logged in as {in_quotes(about(context).login)}" if about(context).login else ""
    return f"{in_quotes(url)}{login} following redirects"


@step(r'the "(.*)" header should be "(.*)"', "the header should be")
def header_is(context: Any, name: str, value: str) -> None:
    ask(context, f"{headers_of(context)} has the header {in_quotes(name)} with {in_quotes(value)}")


@step(r'the response should contain the "(.*)" header', "it should contain the header")
def header_there(context: Any, name: str) -> None:
    ask(context, f"{headers_of(context)} has the header {in_quotes(name)}")


@step(r'the "(.*)" header should contain "(.*)"', "the header should contain", unread)
def header_matches(context: Any, name: str, pattern: str) -> None:
    ask(context, f"{headers_of(context)} has the header {in_quotes(name)} matching {in_quotes(ruby_pattern(pattern))}")


@step(r'the "(.*)" header should not contain "(.*)"', "the header should not contain", unread)
def header_matches_not(context: Any, name: str, pattern: str) -> None:
    ask(
        context,
        f"{headers_of(context)} has the header {in_quotes(name)} not matching {in_quotes(ruby_pattern(pattern))}",
    )
