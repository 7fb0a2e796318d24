#!/bin/sh
# nginx with one page. Runs as root on the host; changes nothing where all is as it must be.
set -eu
export DEBIAN_FRONTEND=noninteractive

if [ "$(dpkg-query -W -f '${db:Status-Status}' nginx-light 2>/dev/null)" != installed ]; then
    apt-get -q update
    apt-get -q install -y --no-install-recommends nginx-light
fi

# Parameters of the stack file are in the environment: greeting is INFRATEST_PARAM_GREETING.
page=/var/www/html/index.html
if [ "$(cat "$page" 2>/dev/null)" != "$INFRATEST_PARAM_GREETING" ]; then
    echo "$INFRATEST_PARAM_GREETING" >"$page"
fi

systemctl -q is-enabled nginx || systemctl -q enable nginx
systemctl -q is-active nginx || systemctl start nginx
