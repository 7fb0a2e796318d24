#!/bin/sh
# A page, a certificate for it, and nginx at work. Changes nothing where all is as it must be.
set -eu

mkdir -p /etc/shop /srv/shop
[ "$(cat /var/www/html/index.html)" = 'the shop' ] || echo 'the shop' >/var/www/html/index.html
[ -s /etc/shop/shop.pem ] || sh /usr/local/lib/drill/certify
[ "$(systemctl is-enabled nginx)" != masked ] || systemctl unmask nginx

# nginx keeps what it read at its start: the configuration it runs with is the one it was last restarted for.
now=$(sha256sum </etc/nginx/sites-available/default)
if [ "$now" != "$(cat /var/lib/nginx/site.sum 2>/dev/null)" ] || ! systemctl -q is-active nginx; then
    systemctl reset-failed nginx 2>/dev/null || true
    systemctl restart nginx
    echo "$now" >/var/lib/nginx/site.sum
fi
