"""The cloud's owner goes on when a token has ended: a session of tests lasts longer than one."""

from __future__ import annotations

import pytest

from tests.worlds.openstack.api import Api, Refused
from tests.worlds.openstack.cloud import cloud

pytestmark = pytest.mark.machines


def test_who_has_a_token_that_is_good_no_more_logs_in_again() -> None:
    owner, api = cloud().admin, Api(cloud().identity)
    ended = api.token
    owner.call("DELETE", "identity", "/auth/tokens", None, X_Subject_Token=ended)
    with pytest.raises(Refused, match=r"^404: "):
        owner.get("identity", "/auth/tokens", X_Subject_Token=ended)
    assert api.get("compute", "/servers") == {"servers": []}
    assert api.token != ended
    with pytest.raises(Refused, match=r"^404: "):
        api.get("compute", "/servers/none-of-this-name")
