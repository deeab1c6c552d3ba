#!/bin/sh
# Prints the version of this checkout: that of appliance/__init__.py and the number of commits, so each commit raises it.
set -eu
cd "$(dirname "$0")/.."
base=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' appliance/__init__.py)
if commits=$(git rev-list --count HEAD 2>/dev/null); then
    echo "$base+$commits.g$(git rev-parse --short=9 HEAD)"
else
    echo "$base"
fi
