#!/bin/sh
# Prints pip's options for wheels that run on another architecture with Debian 13.
#
#   wheels-for.sh SERIES MACHINE   SERIES of Python such as 3.13; MACHINE such as aarch64
set -eu
series=$1 machine=$2
# Versions of glibc that wheels are made for, up to Debian 13's 2.41.
GLIBC="17 24 26 27 28 31 34 35 36 38 39"
printf '%s ' --implementation cp --python-version "$series" \
    --abi "cp$(echo "$series" | tr -d .)" --abi abi3 --abi none
for minor in $GLIBC; do printf -- '--platform manylinux_2_%s_%s ' "$minor" "$machine"; done
printf '%s ' --platform "manylinux2014_$machine" --platform "linux_$machine" --platform any
