#!/bin/sh
# The packages of a web host. Changes nothing where they are installed.
set -eu
export DEBIAN_FRONTEND=noninteractive

missing=
for package in nginx-light redis-tools; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    apt-get -q update
    # shellcheck disable=SC2086 # a list of words
    apt-get -q install -y --no-install-recommends $missing
fi
