"""Certificates and keys in files, held against what the program openssl says of the same bytes, by both ways."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infratest.steps import _certificate

from infratest.facts._x509 import blocks, certificates
from infratest.facts._x509_chain import signed_by, unverified
from tests.facts.both_ways import same
from tests.worlds.tls_servers import weak_chain
from tests.worlds.x509_files import issued, new_key

KINDS = ("RSA 1024", "RSA 2048", "EC secp256r1", "EC secp384r1", "EC secp521r1", "Ed25519")


def openssl(*words: str, data: bytes = b"") -> str:
    done = subprocess.run(["openssl", *words], input=data, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=10)
titles = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs")), max_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=titles.map(lambda text: f"x{text}"),
    kind=st.sampled_from(KINDS[2:]),
    host=labels,
    serial=st.integers(1, 2**150),
    ends=st.datetimes(datetime(2030, 1, 1), datetime(2080, 1, 1)).map(
        lambda one: one.replace(microsecond=0, tzinfo=UTC)
    ),
    authority=st.booleans(),
)
def test_a_certificate_is_read_as_openssl_reads_it(title, kind, host, serial, ends, authority):
    made = issued(title, key=kind, names=(f"{host}.example", "10.0.0.2"), serial=serial, ends=ends, authority=authority)
    (one,) = certificates(b"some words before\n" + made.pem)
    assert (one,) == certificates(made.der)
    said = openssl(
        "x509", "-noout", "-serial", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8", "-enddate", "-dateopt",
        "iso_8601", "-fingerprint", "-sha256", "-ext", "subjectAltName,basicConstraints", data=made.pem,
    )  # fmt: skip
    rows = {key: value for key, _, value in (row.partition("=") for row in said.splitlines()) if value}
    assert int(rows["serial"], 16) == int(one.serial, 16)
    assert rows["sha256 Fingerprint"].replace(":", "").lower() == one.sha256
    assert _certificate.attributes(rows["subject"]) == _certificate.attributes(one.subject)
    assert datetime.fromisoformat(rows["notAfter"]) == datetime.fromtimestamp(one.not_after, UTC)
    assert f"DNS:{host}.example, IP Address:10.0.0.2" in said
    assert one.names == (f"DNS:{host}.example", "IP:10.0.0.2")
    assert ("CA:TRUE" in said, "CA:FALSE" in said) == (one.authority, not one.authority)
    assert one.self_signed


@settings(max_examples=40, deadline=None)
@given(
    pattern=st.sampled_from(["shop.example", "*.shop.example", "*.example", "WWW.shop.example", "10.0.0.2", "::1"]),
    name=st.sampled_from(
        "shop.example www.shop.example a.www.shop.example SHOP.example example 10.0.0.2 10.0.0.3 ::1 0::1 "
        ".shop.example x.example".split()
    ),
)
def test_a_name_is_covered_as_openssl_has_it(pattern, name):
    made = PATTERNS.setdefault(pattern, issued("x", names=(pattern,)))
    (one,) = certificates(made.pem)
    said = openssl("x509", "-noout", "-checkip" if ":" in name or name[0] == "1" else "-checkhost", name, data=made.pem)
    # OpenSSL takes a name that begins with a dot for all below it, which is no name that a client asks for.
    right = "does match" in said and not name.startswith(".")
    assert _certificate.is_for(one, name) == right, said


PATTERNS: dict = {}


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_each_kind_are_read_by_both_ways(kind, tmp_path):
    made = issued("x", key=kind)
    (tmp_path / "x.pem").write_bytes(made.pem)
    (tmp_path / "x.key").write_bytes(made.key_pem())
    (tmp_path / "x.enc").write_bytes(made.key_pem(b"secret"))
    ((one,),) = [each.certificates for each in same("certificate-file", [(str(tmp_path / "x.pem"),)]).values()]
    seen = same("private-key-file", [(str(tmp_path / f"x.{end}"),) for end in ("key", "enc")])
    plain, encrypted = (each.keys[0] for each in seen.values())
    word, _, more = kind.partition(" ")
    assert (plain.kind, plain.curve) == (word, more if word == "EC" else "")
    assert plain.bits == {"RSA 1024": 1024, "RSA 2048": 2048, "EC secp384r1": 384, "EC secp521r1": 521}.get(kind, 256)
    assert (one.kind, one.bits, one.curve, one.public) == (plain.kind, plain.bits, plain.curve, plain.public)
    assert (encrypted.encrypted, encrypted.kind, plain.encrypted) == (True, "", False)


PSS = ("-sigopt", "rsa_padding_mode:pss")


@pytest.mark.parametrize(
    "words, name",
    [
        (("rsa:2048", "-sha1", *PSS), "rsassaPss with sha1"),
        (("rsa:2048", "-sha256", *PSS), "rsassaPss with sha256"),
        (("rsa-pss", "-sha384"), "rsassaPss with sha384"),
        (("rsa:2048", "-md5"), "md5WithRSAEncryption"),
        (("rsa:2048", "-sha1"), "sha1WithRSAEncryption"),
        (("rsa:2048", "-rmd160"), "ripemd160WithRSA"),
        (("ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha1"), "ecdsa-with-SHA1"),
    ],
)
def test_the_algorithm_of_a_signature_is_told_with_its_hash(words, name, tmp_path):
    """That of RSASSA-PSS stands in its parameters, and has defaults: `sha1 (default)`."""
    options = ["-nodes", "-keyout", tmp_path / "key", "-subj", "/CN=x", "-out", tmp_path / "x.pem", "-newkey", *words]
    subprocess.run(["openssl", "req", "-x509", *options], check=True, stderr=subprocess.DEVNULL)
    (one,) = certificates((tmp_path / "x.pem").read_bytes())
    assert one.signature == name
    plain, _, digest = name.partition(" with ")
    said = openssl("x509", "-noout", "-text", "-in", str(tmp_path / "x.pem"))
    assert f"Signature Algorithm: {plain}" in said
    assert not digest or f"Hash Algorithm: {digest}" in said
    assert one.self_signed
    other = issued("x", key="RSA 2048")
    assert not signed_by(one, certificates(other.pem)[0]) if "ripemd" not in name else one.self_signed
    signature = _certificate.SIGNATURE
    assert _certificate.seen(signature, "*sha1*", one)[0] is ("sha1" in name.lower())
    assert _certificate.seen(signature, plain.upper(), one)[0]
    assert _certificate.seen(signature, name, one)[0]
    assert not _certificate.seen(signature, f"{plain} with sha512", one)[0]


def test_who_signed_by_an_old_algorithm_is_seen(tmp_path):
    """In a real chain: of a key of 1024 bits, by SHA-1 as RSASSA-PSS, by MD5; and no other key has signed these."""
    weak_chain(tmp_path)
    leaf, between, root = certificates((tmp_path / "weak.pem").read_bytes())
    assert [one.self_signed for one in (leaf, between, root)] == [False, False, True]
    assert [signed_by(*pair) for pair in ((leaf, between), (between, root), (root, root))] == [True, True, True]
    weak_chain(tmp_path)
    _, between_again, root_again = certificates((tmp_path / "weak.pem").read_bytes())
    assert [signed_by(*pair) for pair in ((leaf, between_again), (between, root_again), (leaf, root))] == [False] * 3


def test_other_forms_of_keys_are_read(tmp_path):
    (tmp_path / "plain").write_bytes(new_key("RSA 1024").private_bytes(*_forms("OpenSSH")))
    (tmp_path / "old").write_bytes(new_key("RSA 1024").private_bytes(*_forms("TraditionalOpenSSL")))
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", tmp_path / "ec"], check=True)
    words = ["openssl", "rsa", "-aes128", "-traditional", "-passout", "pass:x", "-in", tmp_path / "old"]
    subprocess.run([*words, "-out", tmp_path / "enc"], check=True, stderr=subprocess.DEVNULL)
    names = ("plain", "old", "ec", "enc")
    seen = same("private-key-file", [(str(tmp_path / one),) for one in names])
    keys = dict(zip(names, (each.keys[0] for each in seen.values()), strict=True))
    assert [(keys[one].kind, keys[one].bits) for one in names[:3]] == [("RSA", 1024), ("RSA", 1024), ("EC", 256)]
    assert keys["enc"].encrypted


def _forms(name: str):
    from cryptography.hazmat.primitives import serialization as s

    return s.Encoding.PEM, getattr(s.PrivateFormat, name), s.NoEncryption()


def test_what_is_cut_or_no_certificate_is_not_taken_for_one(tmp_path):
    made = issued("x", key="RSA 1024")
    middle = made.pem.replace(b"\n", b"\n@", 5)
    files = {
        "cut": made.pem[:-20], "half": made.pem[:300], "second": made.pem + made.pem[:200], "bad": middle,
        "der-cut": made.der[:-1], "der-more": made.der + b"x", "empty": b"", "words": b"no certificate\n",
        "key": made.key_pem(), "binary": bytes(range(256)) * 9, "key-cut": made.key_pem()[:200],
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    seen = same("certificate-file", [(str(tmp_path / name),) for name in (*files, "none", ".")])
    problems = {argument[0].rpartition("/")[2]: value for argument, value in seen.items()}
    assert [name for name in files if problems[name].problem] == [
        "cut", "half", "second", "bad", "der-cut", "der-more", "key-cut",
    ]  # fmt: skip
    assert not any(value.certificates for value in seen.values())
    assert [value.there for value in seen.values()] == [True] * len(files) + [False, False]
    keys = same("private-key-file", [(str(tmp_path / name),) for name in ("key-cut", "words", "key", "cut")])
    assert [(bool(value.problem), len(value.keys)) for value in keys.values()] == [
        (True, 0), (False, 0), (False, 1), (True, 0),
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200).map(lambda data: b"-----BEGIN CERTIFICATE-----\n" + data))
def test_bytes_are_never_taken_for_a_certificate(data):
    from infratest.errors import FactError

    with pytest.raises(FactError):
        certificates(data + b"\n-----END CERTIFICATE-----\n")
    with pytest.raises(FactError):
        list(blocks(data))


def test_a_chain_is_verified_as_openssl_does(tmp_path):
    now = datetime.now(UTC)
    root = issued("root", authority=True)
    between = issued("between", root, authority=True)
    leaf = issued("leaf", between, names=("shop.example",))
    late = issued("late", between, ends=now.replace(year=now.year - 1), begins=now.replace(year=now.year - 2))
    fake = issued("between", issued("root", authority=True), authority=True)
    files = {
        "whole": leaf.pem + between.pem, "alone": leaf.pem, "direct": between.pem, "expired": late.pem + between.pem,
        "forged": issued("leaf", fake).pem + between.pem, "own": root.pem, "by-leaf": issued("x", leaf).pem + leaf.pem
        + between.pem,
    }  # fmt: skip
    right = ["whole", "direct", "own"]
    (tmp_path / "ca.pem").write_bytes(root.pem)
    for name, data in files.items():
        path = tmp_path / f"{name}.pem"
        path.write_bytes(data)
        said = openssl("verify", "-CAfile", str(tmp_path / "ca.pem"), "-untrusted", str(path), str(path))
        one, *others = certificates(data)
        why = unverified(one, others, certificates(root.pem), int(now.timestamp()))
        assert (not why) == (name in right) == (f"{path}: OK" in said), (name, why, said)
