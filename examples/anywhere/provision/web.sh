#!/bin/sh
# nginx with a page that names its host. Changes nothing where all is as it must be.
set -eu
export DEBIAN_FRONTEND=noninteractive

if [ "$(dpkg-query -W -f '${db:Status-Status}' nginx-light 2>/dev/null)" != installed ]; then
    apt-get -q update
    apt-get -q install -y --no-install-recommends nginx-light
fi
page=/var/www/html/index.html
if [ "$(cat "$page" 2>/dev/null)" != "this is $INFRATEST_HOST_NAME" ]; then
    echo "this is $INFRATEST_HOST_NAME" >"$page"
fi
systemctl -q is-active nginx || systemctl start nginx
