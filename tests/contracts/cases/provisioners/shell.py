"""A script that says where it is, and one that fails."""

from infratest.testing.provisioners import Case

CASE = Case(
    works="provision/web.sh",
    fails={"script": "provision/bad.sh"},
    files={"provision/web.sh": "echo $INFRATEST_HOST_NAME\n", "provision/bad.sh": "echo no room >&2; exit 3\n"},
    reads=("provision/web.sh",),
    refused=(5, None, ["a.sh"], {}),
)
