#!/bin/sh
# Builds faxbox_VERSION_ARCH.deb: the box with its Python packages and pjsua2, for the Debian release of the build machine.
#
#   build.sh [--out DIR]      (default dist/)
#
# Needs what `setup.sh deb` installs.  No root, no network beyond PyPI; all versions come from the lock.
#
# For another architecture (FAXBOX_FOR=arm64) run it where the cross tools and headers are installed; it takes the
# packages from FAXBOX_WHEELS, a folder of wheels.  image-build/image/package.sh does both.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
cd "$project"
out=$project/dist
[ "${1:-}" != --out ] || out=$2

say() { printf 'deb: %s\n' "$*"; }

# The package runs on Debian's own Python, so extensions must be compiled for that one.
python=/usr/bin/python3
series=$($python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
architecture=${FAXBOX_FOR:-$(dpkg --print-architecture)}
version=${FAXBOX_VERSION:-$("$project/image-build/version.sh")}
made=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
triplet= # of another machine
if [ -z "${FAXBOX_FOR:-}" ]; then
    [ "$series" = "$("$project/.venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" ] || {
        say "the virtual environment has another Python than Debian's $series: make setup PYTHON=$python"
        exit 1
    }
    export PYPI=1 # as in setup.sh
    install="$project/.venv/bin/pip install --quiet --disable-pip-version-check --no-compile"
    builder=$project/.venv/bin/python
else
    triplet=$(dpkg-architecture -a "$architecture" -q DEB_HOST_MULTIARCH 2>/dev/null)
    install="$python -m pip install --quiet --disable-pip-version-check --no-compile --root-user-action=ignore
        --no-index --find-links $FAXBOX_WHEELS --only-binary=:all:
        $("$project/image-build/wheels-for.sh" "$series" "${triplet%%-*}")"
    builder=$python
    # Makes Python's build tools compile for that architecture.
    export _PYTHON_HOST_PLATFORM="linux-${triplet%%-*}" _PYTHON_SYSCONFIGDATA_NAME="_sysconfigdata__$triplet"
    export CC="$triplet-gcc" CXX="$triplet-g++" LDSHARED="$triplet-gcc -shared" DEB_HOST_ARCH="$architecture"
fi
next=$(echo "$series" | awk -F. '{print $1 "." $2 + 1}')

work=$project/build/deb
root=$work/root
home=$root/usr/lib/faxbox
site=$home/lib/python$series/site-packages
rm -rf "$work"
mkdir -p "$site" "$home/bin" "$root/DEBIAN" "$out"

say "Python packages from the lock"
# shellcheck disable=SC2086 # words
wheel=$(image-build/pjsua2/build.sh --python "$builder" ${triplet:+--for $triplet})
# shellcheck disable=SC2086
if [ -z "$triplet" ]; then
    $install --require-hashes --target "$site" --requirement image-build/requirements.lock
    $install --no-deps --target "$site" "$wheel" "$project"
else
    # For another architecture pip can only install wheels.
    for source in "$project" "$FAXBOX_WHEELS"/*.tar.gz; do
        [ -d "$source" ] || { mkdir "$work/source" && tar -xf "$source" -C "$work/source" --strip-components=1 && source=$work/source; }
        # PYPI=1 makes lgpio's build include its C library.
        (cd "$source" && PYPI=1 $python setup.py --quiet bdist_wheel --dist-dir "$work/wheels") >"$work/wheel.log" 2>&1 ||
            { tail -n 20 "$work/wheel.log"; exit 1; }
    done
    $install --require-hashes --target "$site" --requirement "$FAXBOX_WHEELS/requirements.lock"
    $install --no-deps --target "$site" "$wheel" "$work"/wheels/*.whl
fi
printf '%s\n' "$version" >"$site/appliance/build.txt"
# Scripts of other packages, their tests and C sources are not used.
rm -rf "$site/bin" "$site"/*/tests "$site"/*/test
find "$site" \( -name '*.c' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyx' \) -delete
find "$site" -name 'direct_url.json' -delete
find "$site" -name '*.py' -exec chmod 644 {} +
find "$site" \( -name '.git*' -o -name '.hg*' \) -delete
find "$site" -name '*.so*' -exec "${triplet:+$triplet-}strip" --strip-unneeded {} + -exec chmod 644 {} +
# Removes the library path of the Python that compiled the extensions.
find "$site" -maxdepth 4 \( -path '*/appliance/*.so' -o -name '_pjsua2*.so' \) -exec patchelf --remove-rpath {} \;

# A virtual environment made by hand (PEP 405), without the path of the build folder.  Debian's own packages are visible
# in it: pycups is Debian's (python3-cups), which matches the installed CUPS.
cat >"$home/pyvenv.cfg" <<END
home = /usr/bin
include-system-site-packages = true
version = $series
END
ln -s "/usr/bin/python$series" "$home/bin/python3"
cat >"$home/bin/faxbox" <<'END'
#!/usr/lib/faxbox/bin/python3
import sys

from appliance.cli import main

sys.exit(main())
END
chmod 755 "$home/bin/faxbox"
# Byte code is checked by content, not by date, so that the same sources give the same package.
"$python" -m compileall -q -s "$root" -p / --invalidation-mode unchecked-hash "$site" >"$work/compile.log" 2>&1 ||
    say "left as they are (Python 2 in other packages): $(grep -c '^\*\*\*' "$work/compile.log") files"

say "units, rules, documentation"
install -Dm644 -t "$root/usr/lib/systemd/system" systemd/*.service systemd/*.socket systemd/*.path
[ -z "$(ls systemd/*.timer 2>/dev/null)" ] || install -Dm644 -t "$root/usr/lib/systemd/system" systemd/*.timer
install -Dm644 systemd/faxbox.sysusers "$root/usr/lib/sysusers.d/faxbox.conf"
install -Dm644 systemd/faxbox.tmpfiles "$root/usr/lib/tmpfiles.d/faxbox.conf"
install -Dm644 -t "$root/usr/lib/udev/rules.d" udev/*.rules
cp -r hardware-tests "$home/hardware-tests"
find "$home/hardware-tests" -name __pycache__ -prune -exec rm -r {} +
mkdir -p "$root/usr/bin" "$root/usr/share/doc/faxbox/docs" "$root/usr/share/lintian/overrides"
ln -s ../lib/faxbox/bin/faxbox "$root/usr/bin/faxbox"
cp README.md "$root/usr/share/doc/faxbox/"
cp docs/*.md "$root/usr/share/doc/faxbox/docs/"
cp "$here/copyright" "$root/usr/share/doc/faxbox/copyright"
cp CHANGELOG.md "$root/usr/share/doc/faxbox/NEWS.md"
printf 'faxbox (%s) unstable; urgency=medium\n\n  * What is new for owners: NEWS.md.\n\n -- %s  %s\n' "$version" \
    "$(sed -n 's/^Maintainer: //p' "$here/control")" "$(date -Rud "@$made")" |
    gzip -9n >"$root/usr/share/doc/faxbox/changelog.gz"
mkdir -p "$root/usr/share/man/man1"
gzip -9n <"$here/faxbox.1" >"$root/usr/share/man/man1/faxbox.1.gz"
install -Dm644 "$here/faxbox.completion" "$root/usr/share/bash-completion/completions/faxbox"
cp "$here/lintian-overrides" "$root/usr/share/lintian/overrides/faxbox"

# The packages that the box needs: the list of `make setup` without those that only build.
needs=$(sed -n '/^# Two small modules/q; s/#.*//; /^[[:space:]]*$/d; p' image-build/packages/run.txt |
    grep -v '^python3-venv' | paste -sd, | sed 's/,/, /g')
# Debian's shared libraries that the compiled parts load.
mkdir -p "$work/debian"
printf 'Source: faxbox\n\nPackage: faxbox\nArchitecture: any\n' >"$work/debian/control"
libraries=$(cd "$work" && find root -name '*.so*' -type f ! -path '*.libs/*' -print0 |
    xargs -0 dpkg-shlibdeps -O --ignore-missing-info $(find root -type d -name '*.libs' -printf '-lroot/../%p ') 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$(du -sk "$root/usr" | cut -f1)/" \
    -e "s/@DEPENDS@/python3 (>= $series), python3 (<< $next), adduser, debconf (>= 0.5) | debconf-2.0, systemd, $libraries, $needs/" \
    "$here/control" >"$root/DEBIAN/control"
for script in postinst prerm postrm; do install -m755 "$here/$script" "$root/DEBIAN/$script"; done
cp "$here/templates" "$root/DEBIAN/templates"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)

find "$root" -exec touch -hd "@$made" {} +
chmod -R u+rwX,go=rX "$root"
say "packing"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out" >/dev/null
say "$out/faxbox_${version}_$architecture.deb: $(du -h "$out/faxbox_${version}_$architecture.deb" | cut -f1)"
