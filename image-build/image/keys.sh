#!/bin/sh
# Makes the key that signs updates, once.  The image accepts only updates that this key signed.
#
# FAXBOX_UPDATE_KEYS is the folder with key.pem and keyring.pem (default: in the cache).  If you
# distribute images, keep that folder secret and on another machine: with the key one can install any program on every box.
set -eu
. "$(dirname "$0")/common.sh"

keys=${FAXBOX_UPDATE_KEYS:-$cache/keys}
mkdir -p "$keys"
if [ ! -e "$keys/key.pem" ]; then
    say "making a key for updates in $keys"
    (umask 077 && openssl req -x509 -newkey rsa:3072 -nodes -days 7300 -subj "/O=faxbox/CN=updates of $(hostname)" \
        -addext keyUsage=critical,digitalSignature,keyCertSign -addext extendedKeyUsage=emailProtection \
        -keyout "$keys/key.pem.new" -out "$keys/keyring.pem" 2>/dev/null)
    mv "$keys/key.pem.new" "$keys/key.pem"
fi
if [ "$keys" != "$cache/keys" ]; then
    mkdir -p "$cache/keys"
    cp "$keys/key.pem" "$keys/keyring.pem" "$cache/keys/"
fi
