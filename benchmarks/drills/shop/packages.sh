#!/bin/sh
# What the shop is made of. What was fetched is kept, so that putting it back hangs on no mirror.
set -eu
export DEBIAN_FRONTEND=noninteractive

missing=
for package in nginx nginx-light openssl @packages@; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    install="apt-get -q install -y --no-install-recommends -o APT::Keep-Downloaded-Packages=true"
    # shellcheck disable=SC2086 # lists of words
    $install --no-download $missing || { apt-get -q update && $install $missing; }
fi
