#!/bin/sh
# Builds the pjsua2 wheel that the box runs on, from pjproject 2.17 with our patch.
#
#   build.sh [--out DIR] [--python PYTHON] [--source auto|upstream|debian|DIRECTORY] [--for TRIPLET] [--force | --cached]
#
# Prints the path of the wheel on standard output; everything else goes to standard error.  With --cached
# nothing is built: without a finished wheel the answer is failure.
# A finished wheel is kept in $FAXBOX_CACHE (default ~/.cache/faxbox) under a name made of everything
# it depends on, so that a second run takes no time.  Needs a compiler, make, patch, swig, the headers of
# OpenSSL and Python, and, for Debian's source, apt (apt-helper).
#
# --for aarch64-linux-gnu compiles for another machine with its cross tools and headers; sysconfig's variables
# for cross-compilation (_PYTHON_HOST_PLATFORM, _PYTHON_SYSCONFIGDATA_NAME) name its Python.
#
# Where the source comes from ("auto" tries one after the other):
#   upstream  git, by commit id
#   debian    the component Xpjproject of Debian's source package asterisk.  Trust comes from the
#             archive's signed InRelease -> Sources -> SHA256, in a private apt state: the machine's own apt
#             settings are neither read nor changed.  Only the age of the index is not checked,
#             because a mirror's copy of sid may be old; its signature always is.
#   DIRECTORY an unpacked pjproject 2.17
set -eu

PJ_VERSION=2.17
PJ_GIT=https://github.com/pjsip/pjproject.git
PJ_COMMIT=5a457451fa2712ba18e12b01738e8ff3af2b26fd
# The Debian component as first verified through the signed index, and where old ones are kept for good.
DEBIAN_SHA256=6860c2f7604b4eee75f38151a9ef69774eb3f0c5286fc1d14bc1db2dc5a9e8aa
DEBIAN_SHA1=9cbc54943839c75a8d626e84d3562074bc766222
DEBIAN_MIRROR=${FAXBOX_DEBIAN_MIRROR:-} # the one this machine's apt uses when empty
DEBIAN_SNAPSHOT=${FAXBOX_DEBIAN_SNAPSHOT:-} # URL that keeps files by their SHA-1, tried last when set
DEBIAN_KEYRING=${FAXBOX_DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
CONNECT_SECONDS=10 # a host that does not answer by then is taken as unreachable

here=$(cd "$(dirname "$0")" && pwd)
out=
python=${PYTHON:-python3}
source=${FAXBOX_PJPROJECT:-auto}
force=
cached=
triplet= # of the machine to compile for; empty: this one

say() { echo "pjsua2: $*" >&2; }
die() { say "$*"; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --out) out=$2; shift 2 ;;
        --python) python=$2; shift 2 ;;
        --source) source=$2; shift 2 ;;
        --for) triplet=$2; shift 2 ;;
        --force) force=yes; shift ;;
        --cached) cached=yes; shift ;;
        *) die "unknown argument $1" ;;
    esac
done

python=$(command -v "$python") || die "no such Python"
python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")

# -- is it there already? ----------------------------------------------------------------------

tag=$("$python" "$here/make_wheel.py" tag)
key=$( { cat "$here/build.sh" "$here/make_wheel.py" "$here/config_site.h" "$here/app-owned-media.patch" \
             "$here/sip_gate.c" "$here/sip_gate.h"
         echo "$tag"; } | sha256sum | cut -c1-16)
cache=${FAXBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/faxbox}/pjsua2
wheel=$cache/$key/pjsua2-$PJ_VERSION+faxbox-$tag.whl

deliver() {
    if [ -n "$out" ]; then
        mkdir -p "$out"
        cp "$wheel" "$out/"
        echo "$(cd "$out" && pwd)/$(basename "$wheel")"
    else
        echo "$wheel"
    fi
    exit 0
}

[ -z "$force" ] && [ -f "$wheel" ] && deliver
[ -n "$cached" ] && die "no finished wheel in $cache"

# One build at a time; a second caller waits and finds the wheel.
mkdir -p "$cache"
exec 9>"$cache/lock"
command -v flock >/dev/null && flock 9
[ -z "$force" ] && [ -f "$wheel" ] && deliver

for tool in make patch swig "${triplet:+$triplet-}g++" sha256sum; do
    command -v $tool >/dev/null || die "$tool is missing (apt: build-essential swig patch libssl-dev python3-dev)"
done
[ -f "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] ||
    die "Python's headers are missing (apt: python3-dev)"

work=$(mktemp -d "${TMPDIR:-/tmp}/faxbox-pjsua2.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# -- the source --------------------------------------------------------------------------------

from_upstream() {
    command -v git >/dev/null || return 1
    timeout $CONNECT_SECONDS git ls-remote -q "$PJ_GIT" HEAD >/dev/null 2>&1 ||
        { say "$PJ_GIT cannot be reached"; return 1; }
    say "source: $PJ_GIT at $PJ_COMMIT"
    git init -q "$work/pj"
    git -C "$work/pj" fetch -q --depth 1 "$PJ_GIT" "$PJ_COMMIT" >&2 &&
        git -C "$work/pj" checkout -q FETCH_HEAD >&2 &&
        [ "$(git -C "$work/pj" rev-parse HEAD)" = "$PJ_COMMIT" ] ||
        { say "the commit could not be fetched whole"; return 1; }
}

# The mirror that this machine's apt takes Debian itself from.
machines_mirror() {
    apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's|^Debian/Debian ||p' | head -n 1
}

# A private apt: its own sources, lists and cache, checked against Debian's archive keys.
private_apt() {
    mirror=${DEBIAN_MIRROR:-$(machines_mirror)}
    [ -n "$mirror" ] || return 1
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/apt/empty"
    echo "deb-src [signed-by=$DEBIAN_KEYRING] $mirror sid main" >"$work/apt/sources.list"
    apt_options="-o Dir::Etc::SourceList=$work/apt/sources.list -o Dir::Etc::SourceParts=$work/apt/empty
        -o Dir::State::Lists=$work/apt/lists -o Dir::Cache=$work/apt/cache
        -o APT::Sandbox::User= -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none
        -o Acquire::http::Timeout=$CONNECT_SECONDS -o Acquire::Retries=2
        -o APT::Get::List-Cleanup=false -o APT::Update::Error-Mode=any"
}

from_debian_index() {
    command -v apt-get >/dev/null && [ -f "$DEBIAN_KEYRING" ] || return 1
    private_apt || { say "apt has no lists of Debian: run apt-get update"; return 1; }
    # shellcheck disable=SC2086 # the options are words
    apt-get $apt_options -qq update >&2 || return 1
    # A line of it: 'http://…orig-Xpjproject.tar.xz' NAME SIZE SHA256:HASH
    # shellcheck disable=SC2086
    line=$(apt-get $apt_options -qq --print-uris --only-source source asterisk 2>/dev/null |
        grep 'orig-Xpjproject\.tar\.xz' | head -n 1)
    [ -n "$line" ] || return 1
    uri=$(echo "$line" | cut -d"'" -f2)
    hash=$(echo "$line" | sed -n 's/.*\(SHA256:[0-9a-f]*\).*/\1/p')
    [ -n "$hash" ] || return 1
    [ "$hash" = "SHA256:$DEBIAN_SHA256" ] || say "Debian's component is a newer one ($hash)"
    say "source: $uri"
    # shellcheck disable=SC2086
    /usr/lib/apt/apt-helper $apt_options download-file "$uri" "$work/pj.tar.xz" "$hash" >&2
}

from_debian_snapshot() {
    [ -n "$DEBIAN_SNAPSHOT" ] && command -v curl >/dev/null || return 1
    say "source: $DEBIAN_SNAPSHOT/$DEBIAN_SHA1"
    curl -fsSL --connect-timeout $CONNECT_SECONDS -o "$work/pj.tar.xz" "$DEBIAN_SNAPSHOT/$DEBIAN_SHA1" >&2 || return 1
    echo "$DEBIAN_SHA256  $work/pj.tar.xz" | sha256sum -c --quiet >&2 ||
        { say "what came is not the archive that was asked for (SHA-256)"; return 1; }
}

from_debian() {
    command -v xz >/dev/null || { say "xz is missing (apt: xz-utils)"; return 1; }
    from_debian_index || from_debian_snapshot || return 1
    mkdir "$work/pj"
    tar -xf "$work/pj.tar.xz" -C "$work/pj" --strip-components=1 >&2 ||
        { say "the archive could not be unpacked"; return 1; }
    # Debian leaves out the driver of a vendor's echo canceller; the makefile still names it.
    bdimad=$work/pj/pjmedia/src/pjmedia-audiodev/bdimad_dev.c
    [ -f "$bdimad" ] || echo '/* left out */ typedef int faxbox_not_empty;' >"$bdimad"
}

case $source in
    auto) from_upstream || { rm -rf "$work/pj"; from_debian; } || die "no source of pjproject $PJ_VERSION could be reached" ;;
    upstream) from_upstream || die "$PJ_GIT cannot be reached, or has not commit $PJ_COMMIT" ;;
    debian) from_debian || die "no Debian source of pjproject could be fetched and verified" ;;
    *) [ -f "$source/version.mak" ] || die "$source is not a pjproject"
       cp -a "$source" "$work/pj" ;;
esac

found=$(sed -n 's/^export PJ_VERSION_M[AI][JN]OR *:= *//p' "$work/pj/version.mak" | tr '\n' '.')
[ "$found" = "$PJ_VERSION." ] || die "the source is pjproject ${found%.}, the patch is for $PJ_VERSION"

# -- compile -----------------------------------------------------------------------------------

cd "$work/pj"
patch -p1 -s <"$here/app-owned-media.patch" >&2 || die "the patch does not apply"
cp "$here/config_site.h" pjlib/include/pj/config_site.h
cp "$here/sip_gate.c" pjsip/src/pjsip/
cp "$here/sip_gate.h" pjsip/include/pjsip/

# NDEBUG: pjproject then logs a failed assertion and returns an error instead of aborting the process.
# epoll: select() writes beyond its sets in a process with more than 1,024 open files.
flags="-O2 -g0 -fPIC -DNDEBUG"
# What runs beside another command writes a log of its own (run_into LOG COMMAND).
run_into() {
    log=$work/$1.log; shift
    "$@" >>"$log" 2>&1 || { tail -n 40 "$log" >&2; die "failed: $* (see above)"; }
}
run() { run_into build "$@"; }
say "compiling (a minute or two)"
if [ -n "$triplet" ]; then
    export CC="$triplet-gcc" CXX="$triplet-g++" AR="$triplet-ar" RANLIB="$triplet-ranlib"
fi
# For another machine pjproject leaves TLS out unless it is told where OpenSSL is; the compiler knows the rest.
run ./configure ${triplet:+--build="$(gcc -dumpmachine)" --host="$triplet" --with-ssl=/usr} \
    CFLAGS="$flags" CXXFLAGS="$flags" --enable-epoll \
    --disable-sound --disable-video --disable-resample --disable-upnp --disable-libuuid \
    --disable-libsrtp --disable-libyuv --disable-libwebrtc --disable-speex-aec \
    --disable-l16-codec --disable-gsm-codec --disable-g722-codec --disable-g7221-codec \
    --disable-speex-codec --disable-ilbc-codec --disable-opencore-amr --disable-silk --disable-opus \
    --disable-bcg729 --disable-lyra --disable-sdl --disable-ffmpeg --disable-v4l2 --disable-openh264 \
    --disable-vpx
grep -q 'define PJ_HAS_SSL_SOCK 1' pjlib/include/pj/compat/os_auto.h ||
    die "OpenSSL was not found: no TLS (apt: libssl-dev)"
# The wrapper is one file that takes as long as all libraries: it is compiled beside them, from their headers.
run make -C pjsip-apps/src/swig/python pjsua2_wrap.cpp
run_into wrapper "$python" "$here/make_wheel.py" compile "$work/pj" "$work/wrapper.o" &
wrapper=$!
run make -j"$(nproc)" lib
wait $wrapper || die "the wrapper could not be compiled (see above)"
mkdir -p "$cache/$key"
run "$python" "$here/make_wheel.py" pack "$work/pj" "$work/wrapper.o" "$wheel.part"
mv "$wheel.part" "$wheel"
say "made $wheel"
deliver
