#!/bin/sh
# Redis, open to the stack's network, with the number of visitors in it. Changes nothing where all is as it must be.
set -eu
export DEBIAN_FRONTEND=noninteractive

if [ "$(dpkg-query -W -f '${db:Status-Status}' redis-server 2>/dev/null)" != installed ]; then
    apt-get -q update
    apt-get -q install -y --no-install-recommends redis-server
fi
conf=/etc/redis/redis.conf
if grep -q '^bind 127' "$conf"; then
    sed -i -e 's/^bind 127.*/bind 0.0.0.0/' -e 's/^protected-mode yes/protected-mode no/' "$conf"
    systemctl restart redis-server
fi
if [ "$(redis-cli get visitors)" != "$INFRATEST_PARAM_VISITORS" ]; then
    redis-cli set visitors "$INFRATEST_PARAM_VISITORS" >/dev/null
fi
