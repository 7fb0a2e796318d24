"""Revocation of certificates at ports, from the controller and by what hosts are sent, of real responders."""

from __future__ import annotations

import pytest

from infratest.deadline import Deadline
from infratest.errors import FactError
from infratest.outsiders import get
from tests.facts.both_ways import snippet
from tests.worlds.revocation import NAMES, revocations


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with revocations(tmp_path_factory.mktemp("revocation")) as made:
        yield made


def look(world, *names, authority=True):
    """Ask both ways, and return what they agree on, by name."""
    place = f"tls://127.0.0.1:{world.port}"
    arguments = [(place, f"{name}.example", world.authority if authority else "") for name in names]
    here = get("fact", "revocation")().look(arguments, Deadline(60), lambda host, port: (host, port))
    there = snippet("revocation", arguments)
    assert [str(one) for one in here.values()] == [str(one) for one in there.values()]
    return dict(zip(names, here.values(), strict=True))


KEY = "revoked since 2026-01-01 00:00 UTC, keyCompromise"

#: Name -> of each source what it says: whether it is revoked, and words.
RIGHT = {
    "good": [("OCSP", False, "good"), ("CRL", False, "not listed")],
    "revoked": [("OCSP", True, KEY), ("CRL", True, "UTC, keyCompromise")],
    "ocsp-good": [("OCSP", False, "good")],
    "ocsp-revoked": [("OCSP", True, KEY)],
    "crl-good": [("CRL", False, "not listed")],
    "crl-revoked": [("CRL", True, "UTC, keyCompromise")],
    "dead": [("OCSP", None, "Connection refused")],
    "half": [("OCSP", None, "Connection refused"), ("CRL", False, "not listed")],
    "late": [("OCSP", None, "Connection refused"), ("CRL", True, "UTC, keyCompromise")],
    "stranger": [("OCSP", None, "the responder does not know the certificate")],
    "forged": [("OCSP", None, "its answer is not signed by who may sign it")],
    "past": [("CRL", None, "its answer is out of date since")],
    "foreign": [("CRL", None, "it is not signed by who has signed the certificate")],
    "shard": [("CRL", None, "it is another part of the issuer's list than the certificate names")],
    "own-shard": [("CRL", False, "not listed")],
    "missing": [("CRL", None, "Not Found")],
    "page": [("CRL", None, "its answer is not understood: it is cut, or no CRL")],
    "empty": [("CRL", None, "its answer is empty")],
    "removed": [("CRL", False, "removed from the list")],
    "status": [("OCSP", None, "it answers with the status 403 Forbidden")],
    "bare": [],
}


def test_each_source_says_what_is_so_or_nothing(world):
    assert set(RIGHT) == set(NAMES)
    for name, seen in look(world, *NAMES).items():
        said = [(one.source, one.revoked) for one in seen.verdicts]
        assert said == [(source, revoked) for source, revoked, _ in RIGHT[name]], name
        for one, (_, _, words) in zip(seen.verdicts, RIGHT[name], strict=True):
            assert words in one.words, name


def test_a_responder_that_hangs_keeps_nobody_from_the_list(world):
    fact, argument = get("fact", "revocation")(), (f"tls://127.0.0.1:{world.port}", "hung.example", world.authority)
    fact.patience = 3.0
    seen = fact.look([argument], Deadline(60), lambda host, port: (host, port))[argument]
    assert [one.revoked for one in seen.verdicts] == [None, True]
    assert "it is not reachable: no whole answer in time" in seen.verdicts[0].words
    late = fact.look([argument], Deadline(1.5), lambda host, port: (host, port))[argument]
    assert [one.revoked for one in late.verdicts] == [None, True]  # what is known is said at our own deadline, too


def test_who_signed_must_be_known(world):
    (seen,) = look(world, "crl-good", authority=False).values()
    assert isinstance(seen, FactError)
    assert "who signed the certificate is not known" in str(seen)


def test_where_there_is_no_tls_there_is_nothing_to_be_revoked(world):
    argument = (f"tls://127.0.0.1:{world.down}", "", "")
    here = get("fact", "revocation")().look([argument], Deadline(60), lambda host, port: (host, port))
    assert "not reachable" in here[argument].refused
    assert here == snippet("revocation", [argument])
