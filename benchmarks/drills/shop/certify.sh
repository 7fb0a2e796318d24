#!/bin/sh
# A certificate of the shop's own for 30 days; for so many as are given, less than none for one that is over.
set -eu
cd /etc/shop
[ -s shop.key ] || openssl genrsa -out shop.key 2048 2>/dev/null
openssl req -x509 -new -key shop.key -subj /CN=shop -days 30 -out new.pem
if [ $# -gt 0 ]; then
    openssl x509 -in new.pem -signkey shop.key -days "$1" -out old.pem 2>/dev/null
    mv old.pem new.pem
fi
mv new.pem shop.pem
