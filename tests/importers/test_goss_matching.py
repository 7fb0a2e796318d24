"""`matching` of goss: values of the file itself; whether they match is written by hand from goss' page on matchers."""

from __future__ import annotations

import pytest

from infratest.importers.goss import Goss

#: content, matches, and whether goss finds that they match.
COMPARED = [
    ("3", "3", True), ("3", "4", False), ("3", "'3'", True), ("'3 '", "3", True), ("'x'", "{gt: 1}", None),
    ("true", "true", True), ("true", "1", False), ("1", "true", False), ("true", "'true'", True),
    ("42", "{and: [{gt: 41}, {ge: 42}, {lt: 43}, {le: 42}]}", True), ("42", "{gt: 42}", False),
    ("abc", "{have-prefix: ab}", True), ("abc", "{have-prefix: b}", False), ("abc", "{have-suffix: bc}", True),
    ("42", "{contain-substring: '2'}", True), ("abc", "{match-regexp: '^a.c$'}", True),
    ("abc", "{match-regexp: '^b'}", False), ("abc", "{match-regexp: '(?=a)'}", None),
    ("[a, b, b]", "[b, a]", True), ("[a, b]", "[b, b]", False), ("[a, b, b]", "[b, b]", True),
    ("[ab, b]", "[{have-prefix: a}, {have-suffix: b}]", True), ("[ab]", "[{have-prefix: a}, {have-suffix: b}]", False),
    ("[x, ab]", "{contain-element: {have-prefix: a}}", True), ("[x]", "{contain-element: y}", False),
    ("[a, b]", "{consist-of: [b, {have-prefix: a}]}", True), ("[a, b, c]", "{consist-of: [a, b]}", False),
    ("[a, b]", "{equal: [a, b]}", True), ("[a, b]", "{equal: [b, a]}", False), ("[a, b]", "{have-len: 2}", True),
    ("{a: 1}", "{have-key: a}", True), ("{a: 1}", "{have-key: b}", False), ("a", "{have-key: a}", None),
    ("{a: b}", "{have-key-with-value: {a: b}}", True), ("{a: b}", "{have-key-with-value: {a: c}}", False),
    ("1", "{not: 2}", True), ("1", "{not: 1}", False), ("1", "{or: [2, 1]}", True), ("1", "{or: [2, 3]}", False),
    ("[1.0.1, 1.9.9]", "{semver-constraint: '>1.0.0 <2.0.0 !=1.5.0'}", True),
    ("[1.0.1, 1.5.0]", "{semver-constraint: '>1.0.0 <2.0.0 !=1.5.0'}", False),
    ("1.0.1", "{semver-constraint: '>5.0.0 || <1.5.0'}", True), ("1.10.0", "{semver-constraint: '>1.9.0'}", True),
    ("nonsense", "{semver-constraint: '>1.0.0'}", None),
    ("'{\"a\": {\"b\": [1, 2]}}'", "{gjson: {a.b.1: 2, a: {have-key: b}, '@this': {have-key: a}}}", True),
    ("'{\"a\": 1}'", "{gjson: {a: 2}}", False), ("'{'", "{gjson: {a: 2}}", None),
    ("1", "{nosuch: 1}", None), ("1", "{gt: 1, lt: 2}", None),
]  # fmt: skip


@pytest.mark.parametrize(("content", "matches", "right"), COMPARED)
def test_values_match_as_goss_says(tmp_path, content, matches, right):
    (tmp_path / "goss.yaml").write_text(f"matching:\n  it:\n    content: {content}\n    matches: {matches}\n")
    made = Goss().read(tmp_path / "goss.yaml", ())
    if right:
        assert not made.left
        assert [(note.line, "it matches" in note.words) for note in made.notes] == [(3, True)]
        return
    assert not made.notes
    [remark] = made.left
    assert ("so that goss fails" in remark.words) == (right is False), remark
    assert remark.line == 4


def test_a_content_without_matches_asserts_nothing(tmp_path):
    (tmp_path / "goss.yaml").write_text("matching:\n  it: {content: 1}\n")
    [remark] = Goss().read(tmp_path / "goss.yaml", ()).left
    assert "asserts nothing" in remark.words
