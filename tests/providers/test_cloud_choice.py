"""Which image and which size of those a cloud has: by values, asking nobody."""

from __future__ import annotations

import json

import pytest

from infratest.errors import UserError
from infratest.providers.base import HostSpec
from infratest.providers.cloud import choice
from infratest.providers.cloud.drivers.base import Image, Size
from infratest.providers.cloud.options import HostOptions, needs, reached_by
from infratest.stack import file

GIB = 2**30
SIZES = [
    Size(id="1", name="tiny", cpus=1, memory=GIB // 2, price=0.004),
    Size(id="2", name="small", cpus=1, memory=2 * GIB, price=0.02),
    Size(id="3", name="arm", cpus=2, memory=4 * GIB, price=0.03, architecture="arm64"),
    Size(id="4", name="medium", cpus=2, memory=4 * GIB, price=0.04, architecture="x86_64"),
    Size(id="5", name="old", cpus=2, memory=4 * GIB, price=None),
]
IMAGES = [
    Image(id="a", name="debian-12-2025", made="2025"),
    Image(id="b", name="debian-12-2026", made="2026"),
    Image(id="c", name="debian-11-2027", made="2027"),
]


@pytest.mark.parametrize(
    "wanted, expected",
    [("debian-12-*", "b"), ("debian-12-2025", "a"), ("a", "a"), ("debian-1?-*", "c")],
)
def test_the_newest_image_that_matches(wanted, expected):
    found = choice.newest(IMAGES, wanted)
    assert found is not None
    assert found.id == expected


def test_no_image_of_none():
    assert choice.newest([], "debian-12") is None
    words = str(choice.no_image("stack.yaml:4: hosts.web.image", "debain-12", [one.name for one in IMAGES], "self"))
    assert words.startswith("stack.yaml:4: hosts.web.image: image 'debain-12' of owner self: the cloud has no such")
    assert "debian-12-2026" in words


@pytest.mark.parametrize(
    "cpus, memory, architecture, expected",
    [
        (1, GIB // 4, "", "tiny"),
        (1, GIB, "", "small"),
        (2, GIB, "", "arm"),
        (2, GIB, "x86_64", "medium"),
        (2, GIB, "arm64", "arm"),
    ],
)
def test_the_cheapest_size_that_fits(cpus, memory, architecture, expected):
    found = choice.cheapest(SIZES, cpus, memory, architecture)
    assert found is not None
    assert found.name == expected


def test_the_smallest_where_no_price_is_known():
    unpriced = [Size(id=one.id, name=one.name, cpus=one.cpus, memory=one.memory) for one in reversed(SIZES)]
    found = choice.cheapest(unpriced, 1, GIB)
    assert found is not None
    assert found.name == "small"
    assert choice.cheapest(unpriced, 64, GIB) is None


def test_of_two_that_differ_in_their_disks_alone_the_smaller():
    wide = Size(id="a", name="wide", cpus=1, memory=GIB, disk=100 * GIB)
    small = Size(id="b", name="small", cpus=1, memory=GIB, disk=5 * GIB)
    assert choice.cheapest([wide, small], 1, GIB) == small


def test_what_a_size_has_and_costs_in_words():
    assert choice.told(SIZES[1]) == "1 CPU, 2 GiB, 0.02 USD an hour"
    assert choice.told(SIZES[4]) == "2 CPUs, 4 GiB"
    assert "its largest, arm, has 2 CPUs" in str(choice.no_size("f:1", 64, GIB, SIZES))


@pytest.mark.parametrize(
    "given, expected",
    [
        ({}, (1, GIB)),
        ({"cpus": 4}, (4, GIB)),
        ({"memory": 2 * GIB}, (1, 2 * GIB)),
        ({"size": {"cpus": 2, "memory": "3GiB"}}, (2, 3 * GIB)),
        ({"size": {"cpus": 2}, "memory": GIB // 2}, (2, GIB // 2)),
    ],
)
def test_what_a_host_needs(given, expected):
    assert needs(HostSpec(name="web", options=HostOptions(**given))) == expected


@pytest.mark.parametrize(
    "size, words",
    [
        ({"cpu": 2}, "web: hosts.web.size: unknown key 'cpu': did you mean 'cpus'? known are cpus, memory"),
        ({"cpus": "two"}, "web: hosts.web.size: cpus: expected a whole number, found 'two'"),
        ({"cpus": 2000}, "web: hosts.web.size: cpus: found 2000, must be at most 1024"),
        ({"memory": "0B"}, "web: hosts.web.size: memory: must be more than zero"),
        ({"memory": "much"}, "web: hosts.web.size: memory: "),
    ],
)
def test_what_no_host_can_need(size, words):
    with pytest.raises(UserError) as caught:
        needs(HostSpec(name="web", options=HostOptions(size=size)))
    assert str(caught.value).startswith(words)


V4, V6 = "192.0.2.7", "2001:db8::7"


@pytest.mark.parametrize(
    ("written", "addresses", "expected"),
    [
        ("", (V6, V4), V4),
        ("", (V6,), V6),
        ("", (), ""),
        ("v6", (V4, V6), V6),
        ("v6", (V4,), ""),
        ("v4", (V6, V4), V4),
        ("private v6", (V4, V6), V6),
        ("v4 public", (V6,), ""),
    ],
)
def test_which_address_of_those_of_a_kind_is_used(written, addresses, expected):
    assert reached_by(HostSpec(name="web", options=HostOptions(address=written))).of(addresses) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, "its public address, else its private one"),
        ({"address": "v6"}, "its public IPv6 address, else its private one"),
        ({"address": "floating", "jump": "gate"}, "its floating address, through gate"),
        ({"address": "v4 private"}, "its private IPv4 address"),
    ],
)
def test_how_a_host_is_reached_in_words(written, expected):
    assert reached_by(HostSpec(name="web", options=HostOptions(**written))).words == expected


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("pubic", "web: hosts.web.address: unknown word 'pubic': did you mean 'public'?"),
        ("public private", "web: hosts.web.address: found 'public private'; say one of public, private, floating, and"),
        ("v4 v6", "web: hosts.web.address: found 'v4 v6'; say one of public"),
        ("floating v6", "web: hosts.web.address: floating addresses are of IPv4; say public v6, or floating"),
    ],
)
def test_which_address_cannot_be_used(written, words):
    with pytest.raises(UserError) as caught:
        reached_by(HostSpec(name="web", options=HostOptions(address=written)))
    assert str(caught.value).startswith(words)


CPUS, SIZE = "a whole number from 1 to 1024", "a size with its unit, such as 256MiB, of at most 1024TiB"


@pytest.mark.parametrize(
    ("provider", "host", "words"),
    [
        ({}, {"size": {"cpu": 2}}, "hosts.web.size.cpu: unknown key 'cpu': did you mean 'cpus'? known are"),
        ({}, {"size": {"cpus": 0}}, f"hosts.web.size.cpus: found the number 0, allowed is {CPUS}"),
        ({}, {"size": {"cpus": "two"}}, f"hosts.web.size.cpus: found 'two', allowed is {CPUS}"),
        ({}, {"size": {"memory": 2}}, f"hosts.web.size.memory: found the number 2, allowed is {SIZE}"),
        ({}, {"size": "-big"}, "hosts.web.size: found '-big', allowed is a size's name, or a map of cpus and memory"),
        ({}, {"image": " debian-12"}, "hosts.web.image: found ' debian-12', allowed is an image's name, pattern or id"),
        ({}, {"owner": "a\nb"}, "hosts.web.owner: found 'a\\nb', allowed is an account's name or id"),
        ({}, {"network": "-n"}, "hosts.web.network: found '-n', allowed is a network's name or id"),
        ({}, {"jump": "-oProxyCommand=x"}, "hosts.web.jump: found '-oProxyCommand=x', allowed is a host to go through"),
        ({}, {"jump": "a b"}, "hosts.web.jump: found 'a b', allowed is a host to go through, as user@name:port"),
        ({}, {"address": "publik"}, "hosts.web.address: found 'publik', allowed is public, private or floating, or"),
        ({"driver": "open stack"}, {}, "provider.driver: found 'open stack', allowed is the name of a driver, one"),
        ({"region": " eu"}, {}, "provider.region: found ' eu', allowed is a region's name"),
        ({"regions": ["-eu"]}, {}, "provider.regions[0]: found '-eu', allowed is a region's name"),
        ({"profile": "a\tb"}, {}, "provider.profile: found 'a\\tb', allowed is a profile's name"),
        ({"ca": "-x"}, {}, "provider.ca: found '-x', allowed is a path"),
    ],
)  # fmt: skip
def test_a_word_number_or_size_that_cannot_be_is_refused_where_it_stands(tmp_path, provider, host, words):
    stack = {"stack": "shop", "provider": {"name": "cloud", "driver": "ec2"} | provider, "hosts": {"web": host}}
    place = tmp_path / "stack.yaml"
    place.write_text(json.dumps(stack))
    with pytest.raises(UserError) as caught:
        file.load(place)
    assert str(caught.value).startswith(f"{place}:1: {words}"), caught.value


def test_names_with_blanks_and_values_of_parameters_are_taken(tmp_path):
    """As templates of CloudStack and flavors of OpenStack are called."""
    place = tmp_path / "stack.yaml"
    own = {"image": "Debian 12 {param.build}", "size": {"cpus": "{param.cpus}", "memory": "{param.memory}"}}
    stack = {
        "stack": "shop",
        "parameters": {
            "build": {"type": "string", "default": "2026"},
            "cpus": {"type": "integer", "default": 2},
            "memory": {"type": "string", "default": "3GiB"},
        },
        "provider": {"name": "cloud", "driver": "cloudstack", "region": "zone 1"},
        "hosts": {"web": own | {"network": "net of shop"}, "db": {"size": "Large Instance"}},
    }
    place.write_text(json.dumps(stack))
    web, db = file.load(place).hosts
    assert needs(web) == (2, 3 * GIB)
    assert (web.options.image, web.options.network, db.options.size) == (
        "Debian 12 2026", "net of shop", "Large Instance",
    )  # fmt: skip
