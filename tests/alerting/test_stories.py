"""The stories of a monitor, with the package as it is."""

from __future__ import annotations

import pytest

from tests.alerting import stories, stories_of_time
from tests.alerting.copies import whole

STORIES = stories.STORIES | stories_of_time.STORIES


@pytest.mark.parametrize("name", STORIES)
def test_a_story(name):
    STORIES[name](whole())
