#!/bin/sh
# Puts the root file system together; runs in the toolbox (root.sh).
#
#   assemble.sh BASE.tar PACKAGE.deb INITRD OUT.tar
#
# INITRD is made when it is not there.  Beside OUT its list of packages is written (OUT.spdx.json).
set -eu

base=$1 package=$2 initrd=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
. "$here/layout.sh"
work=$(mktemp -d /var/tmp/root.XXXXXX)
trap 'umount -q "$work/proc" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT

tar -xf "$base" -C "$work"
printf '#!/bin/sh\nexit 101\n' >"$work/usr/sbin/policy-rc.d" # nothing is started while it is put together
chmod +x "$work/usr/sbin/policy-rc.d"
mount -t proc proc "$work/proc"
cp "$package" "$work/faxbox.deb"
DEBIAN_FRONTEND=noninteractive chroot "$work" dpkg --install /faxbox.deb >"$out.log" 2>&1 || { tail -n 20 "$out.log"; exit 1; }
rm "$work/faxbox.deb" "$work/usr/sbin/policy-rc.d"

cp -a --no-preserve=ownership "$here/root/." "$work/"
sed -i "s/@DISK@/$DISK/; s/@ARCHITECTURE@/$(chroot "$work" dpkg --print-architecture)/" "$work/etc/rauc/system.conf"
cp /cache/keys/keyring.pem "$work/etc/rauc/keyring.pem"
echo "IMAGE_VERSION=$(chroot "$work" dpkg-query -W -f '${Version}' faxbox)" >>"$work/usr/lib/os-release"

units="systemd-networkd systemd-resolved systemd-timesyncd nftables iwd avahi-daemon cups
    faxbox-image-good faxbox-image-preset faxbox-image-printing faxbox-image-reset.path faxbox-image-update.path faxbox-log-tail.timer
    faxbox-image-unlock faxbox-image-opened.path faxbox-image-lock.path"
for unit in $units; do systemctl --quiet --root="$work" enable "$unit" 2>/dev/null || { echo "no unit $unit"; exit 1; }; done
systemctl --quiet --root="$work" disable ssh.service ssh.socket 2>/dev/null || true
# What writes into a root that forgets, or would do its work anew at every start.
systemctl --quiet --root="$work" mask systemd-firstboot.service systemd-machine-id-commit.service systemd-random-seed.service \
    ldconfig.service systemd-journal-catalog-update.service systemd-hwdb-update.service systemd-update-done.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer 2>/dev/null
ln -sf ../run/systemd/resolve/stub-resolv.conf "$work/etc/resolv.conf"
chroot "$work" usermod --lock root

# -- kernel, and what it starts with -----------------------------------------------------------------
kernel=$(basename "$(ls -d "$work"/lib/modules/*)")
if [ ! -e "$initrd" ]; then
    echo "image: making the initial RAM disk; this takes minutes"
    rm -f "$work/etc/initramfs-tools/update-initramfs.conf"
    sed -i 's/^MODULES=.*/MODULES=most/; s/^COMPRESS=.*/COMPRESS=zstd/' "$work/etc/initramfs-tools/initramfs.conf"
    chroot "$work" mkinitramfs -o /initrd.new "$kernel" >>"$out.log" 2>&1 || { tail -n 20 "$out.log"; exit 1; }
    mv "$work/initrd.new" "$initrd"
fi
rm -f "$work"/boot/initrd.img* "$work"/vmlinuz* "$work"/initrd.img*
ln "$work/boot/vmlinuz-$kernel" "$work/boot/kernel"
cp "$initrd" "$work/boot/initrd"
mkdir "$work/boot/dtb"
[ ! -d "$work/usr/lib/linux-image-$kernel/broadcom" ] || cp -a "$work/usr/lib/linux-image-$kernel/broadcom" "$work/boot/dtb/"

# -- the list of what is in it, then nothing that is of no use or differs from run to run --------------------
"$here/sbom.py" "$work" >"$out.spdx.json"
umount "$work/proc"
rm -rf "$work"/var/lib/apt/lists/* "$work"/var/cache/apt "$work"/var/cache/debconf/*-old "$work"/var/log/* \
    "$work"/var/lib/dpkg/*-old "$work"/etc/ssh/ssh_host_* "$work"/var/cache/ldconfig/aux-cache "$work"/tmp/* "$work"/boot/firmware/* \
    "$work"/usr/lib/linux-image-* "$work"/usr/lib/modules/*/dtb "$work"/var/lib/systemd/random-seed "$work"/etc/ssl/private/ssl-cert-snakeoil.key \
    "$work"/etc/ssl/certs/ssl-cert-snakeoil.pem # a key that is the same on every card is none
: >"$work/etc/machine-id"
mkdir -p "$work/data" "$work/var/log/faxbox"
touch "$work/etc/.updated" "$work/var/.updated"
tar -cf "$out" --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --sort=name --numeric-owner --xattrs --mtime="@${SOURCE_DATE_EPOCH:-0}" --clamp-mtime -C "$work" .
