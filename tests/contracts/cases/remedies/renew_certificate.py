"""A certificate renewed, where the one that is there is valid for long, or none comes about."""

from infratest.testing.remedies import Case

#: Stands where the host's own would, which takes the certificates out of a file: one of shop.example for a century.
SED = """#!/bin/sh
cat <<'END'
-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUSIlcloDlSxNSCYgttNyAJtRnrN0wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMCAXDTI2MTEzMDAzMzMzNloYDzIxMjYx
MTA2MDMzMzM2WjAXMRUwEwYDVQQDDAxzaG9wLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQTHnWT9kVVaXUrq1T8xJBNwnotdtkhzJTBGFI9uJFgPUbo
DYkEY3Yjr4icj7f6nkmdcwK1msKOUWb6V5rj4cvco1MwUTAdBgNVHQ4EFgQU/OMm
JZ5dLgIkuLRJrwelREUrndowHwYDVR0jBBgwFoAU/OMmJZ5dLgIkuLRJrwelREUr
ndowDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAjuUns9kNQRooV
qtJjgcfPWn6MB/Sw7jVggUKpn61LQwIhAPg3z9KivRRp3Zzd2BN1l9NHWmwcebWl
uBHrD/AFL7hP
-----END CERTIFICATE-----
END
"""

CASE = Case(
    works={"command": "touch renewed", "certificate": "/etc/passwd", "reload": "nginx"},
    fails="absent",
    slow={"command": "sleep 60", "certificate": "/srv/not-there.pem"},
    refused=(
        None, "", 5, ["x"], {}, "-x", "a/b", {"command": "true"}, {"name": "x", "command": "true"},
        {"command": "true", "certificate": "x.pem"}, {"command": "a\0b", "certificate": "/x"},
        {"name": "x", "reload": "a b"}, {"name": "x", "due": "soon"},
    ),
    programs={
        "certbot": "#!/bin/sh\necho 'certificate not found' >&2; exit 1\n",
        "systemctl": "#!/bin/sh\n",
        "sed": SED,
    },
)  # fmt: skip
