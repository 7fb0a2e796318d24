"""Where a page leads on by itself: the header `Refresh` and `<meta http-equiv="refresh">` (HTML Standard, 4.2.5.3).

Called by the session, for each answer that is no redirect. Browsers go on without scripts and without being asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from infratest.facts.page.document import Node, above, attribute

if TYPE_CHECKING:
    from infratest.facts.page.visit import Page

#: Seconds after which nobody takes the page itself for the answer: it only leads on.
SOON = 1
_MAY_REFRESH = re.compile(r"http-equiv\s*=\s*[\"']?\s*refresh", re.IGNORECASE)
_VALUE = re.compile(r"\s*(\d+)[\d.]*\s*[;,\s]\s*(?:url\s*=\s*)?(?:\"([^\"]*)|'([^']*)|(.*))", re.IGNORECASE | re.DOTALL)


def leads_on(page: Page, header: str) -> str:
    """Return the URL that a page leads to by itself, empty where it stays or only loads itself again.

    Args:
        header: the value of the answer's `Refresh`, empty without one.

    Raises:
        FactError: the page cannot be parsed here.
    """
    value, base = header, page.url
    if not value and page.is_html and _MAY_REFRESH.search(page.body):
        meta = next(filter(_refreshes, page.document.tree.css("meta[http-equiv][content]")), None)
        value, base = (attribute(meta, "content"), page.document.base) if meta is not None else ("", "")
    found = _VALUE.match(value)
    goal = next((one.strip() for one in found.groups()[1:] if one), "") if found else ""
    if found is None or not goal or int(found[1]) > SOON:
        return ""
    url = urljoin(base, goal).partition("#")[0]
    return "" if url == page.url else url


def _refreshes(meta: Node) -> bool:
    hidden = any(one.tag in ("noscript", "template") for one in above(meta))
    return attribute(meta, "http-equiv").strip().lower() == "refresh" and not hidden
