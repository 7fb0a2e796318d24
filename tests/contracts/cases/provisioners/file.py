"""A file put into the folder in which the test works, and one put where no file can be."""

from infratest.testing.provisioners import Case

CASE = Case(
    works={"from": "shop.conf", "to": "made/shop.conf", "mode": "0640"},
    fails={"from": "shop.conf", "to": "/proc/infratest/shop.conf"},
    files={"shop.conf": "listen 80;\n"},
    reads=("shop.conf",),
    refused=("shop.conf", None, {}, {"from": "shop.conf"}, {"from": "shop.conf", "to": "/x", "mode": 640}),
)
