"""URLs taken apart as RFC 3986 has them, and what is none."""

from __future__ import annotations

import pytest

from infratest.errors import UserError
from infratest.web_address import WebAddress, web_address


@pytest.mark.parametrize(
    "text, address",
    [
        ("http://shop.example", WebAddress("http", "shop.example", 80, "/")),
        ("HTTPS://shop.example:8443/a?b#c", WebAddress("https", "shop.example", 8443, "/a?b")),
        ("http://[::1]:80/", WebAddress("http", "::1", 80, "/")),
        ("http://b\xfccher.example/", WebAddress("http", "xn--bcher-kva.example", 80, "/")),
        ("http://x:/", WebAddress("http", "x", 80, "/")),
    ],
)
def test_a_url_is_taken_apart(text, address):
    assert web_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["ftp://x/", "http:/x", "http://", "http:///x", "x", "http://x:0/", "http://x:65536/", "http://x:-1/", "http://[::1/",
     "http://a b/", "http://x\t/", "http://[x]/", "http://::1/"],
)  # fmt: skip
def test_what_is_no_url_is_refused(text):
    with pytest.raises(UserError, match="expected a URL with a host"):
        web_address(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("http://x/a b", "no URL holds a blank: write it percent-encoded, as %20"),
        ("http://x/?k=a b&c", "no URL holds a blank: write it percent-encoded, as %20"),
        ("http://x/\n", r"no URL holds the character '\n': write it percent-encoded, as %0A"),
        ("http://x/a\u2028b", r"no URL holds the character '\u2028': write it percent-encoded, as %E2%80%A8"),
    ],
)
def test_a_character_that_no_url_has_is_named(text, words):
    with pytest.raises(UserError) as caught:
        web_address(text)
    assert words in str(caught.value)


def test_a_password_in_a_url_is_refused_and_not_shown():
    with pytest.raises(UserError, match=r"http://\.\.\.@x\.example") as caught:
        web_address("http://me:secret@x.example/")
    assert "secret" not in str(caught.value)


def test_the_host_header_leaves_out_the_schemes_own_port():
    assert [web_address(url).authority for url in ("http://x:80/", "https://x:80/", "http://[::1]:8080/")] == [
        "x", "x:80", "[::1]:8080",
    ]  # fmt: skip
