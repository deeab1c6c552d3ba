# U-Boot: which of the two root file systems starts.  Made into boot.scr by disk.sh.
#
# One sector (number 0x800, before the first partition) holds the order of the slots and how many starts each
# has left.  One sector is written whole or not at all.  A start takes one; the system gives them back when it works
# (rauc status mark-good).  A slot without starts is passed over: so a broken update leads back by itself.
# RAUC reads and writes the same sector (/etc/fw_env.config): names, CRC and size are U-Boot's own.

setenv sector 0x800
setenv size 0x200
setenv BOOT_ORDER "A B"
setenv BOOT_A_LEFT 14
setenv BOOT_B_LEFT 14

${devtype} dev ${devnum}
if ${devtype} read ${ramdisk_addr_r} ${sector} 1; then
    env import -c ${ramdisk_addr_r} ${size} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fi

setenv slot
for each in ${BOOT_ORDER}; do
    if test -n "${slot}"; then
        true
    elif test "${each}" = A; then
        if itest 0x${BOOT_A_LEFT} -gt 0; then
            setexpr BOOT_A_LEFT 0x${BOOT_A_LEFT} - 1
            setenv slot A
            setenv number 2
        fi
    elif test "${each}" = B; then
        if itest 0x${BOOT_B_LEFT} -gt 0; then
            setexpr BOOT_B_LEFT 0x${BOOT_B_LEFT} - 1
            setenv slot B
            setenv number 3
        fi
    fi
done

if test -z "${slot}"; then
    echo "No slot has a start left: all of them get new ones"
    setenv BOOT_A_LEFT 3
    setenv BOOT_B_LEFT 3
    env export -c -s ${size} ${ramdisk_addr_r} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
    ${devtype} write ${ramdisk_addr_r} ${sector} 1
    reset
fi
env export -c -s ${size} ${ramdisk_addr_r} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
${devtype} write ${ramdisk_addr_r} ${sector} 1

echo "Slot ${slot}"
part uuid ${devtype} ${devnum}:${number} uuid
# A board shows its start on a screen; a virtual machine has only a serial line.
setenv console tty0
if test "${board}" = qemu-arm; then setenv console ttyAMA0; fi
setenv bootargs "root=PARTUUID=${uuid} rootfstype=ext4 ro rootwait panic=10 rauc.slot=${slot} console=${console}"
# The device tree: the slot's own for this board; else the one that the firmware brought.
setenv tree ${fdt_addr}
if test -z "${tree}"; then setenv tree ${fdtcontroladdr}; fi
if test -n "${fdtfile}"; then
    if load ${devtype} ${devnum}:${number} ${fdt_addr_r} /boot/dtb/${fdtfile}; then setenv tree ${fdt_addr_r}; fi
fi
load ${devtype} ${devnum}:${number} ${kernel_addr_r} /boot/kernel
load ${devtype} ${devnum}:${number} ${ramdisk_addr_r} /boot/initrd
booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${tree}
# What cannot be loaded is tried again, and passed over when its starts are used up.
reset
