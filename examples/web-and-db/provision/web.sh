#!/bin/sh
# A page with the number of visitors that the store knows. Changes nothing where all is as it must be.
set -eu

visitors=$(redis-cli -h "$INFRATEST_ADDRESS_DB" get visitors)
page=/var/www/html/index.html
if [ "$(cat "$page" 2>/dev/null)" != "visitors: $visitors" ]; then
    echo "visitors: $visitors" >"$page"
fi

# nginx keeps what it read at its start: the configuration it runs with is the one it was last restarted for.
now=$(sha256sum </etc/nginx/sites-available/default)
if [ "$now" != "$(cat /var/lib/nginx/site.sum 2>/dev/null)" ]; then
    systemctl restart nginx
    echo "$now" >/var/lib/nginx/site.sum
fi
systemctl -q is-active nginx || systemctl start nginx
