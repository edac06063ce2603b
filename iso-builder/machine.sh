# shellcheck shell=bash
# Virtual machines for test and measure. Sourced, never run. The caller sets `work`, a folder of its own.

# Emulation as fast as it goes, or counted: one instruction is then one nanosecond of the guest's time, whatever else
# this machine does, and waiting takes no time.
accelerator_fast=(-accel 'tcg,thread=multi')
accelerator_counted=(-accel 'tcg,thread=single' -icount 'shift=0,sleep=off')

# A processor that needs none of the slow workarounds which the kernel has for older ones.
common_machine=(qemu-system-x86_64 -cpu 'max,family=26,model=2,stepping=1' -smp 1 -m 128
  -nodefaults -no-user-config -display none -no-reboot)

# tsc_kilohertz : the rate of this host's time-stamp counter, which the emulated processor passes through.
tsc_kilohertz() {
  awk '/^cpu MHz/ { printf "%d", $4 * 1000; exit }' /proc/cpuinfo
}

# prepare_devices : what describe_machine's devices stand on.
prepare_devices() {
  printf '%s' "${boot_config:?}" >"${work:?}/config.json"
  chmod 0600 "$work/config.json"
  truncate -s 8M "$work/image.raw"
  truncate -s 16M "$work/scratch.raw"
}

# describe_machine ARTIFACT fast|counted : sets the array `machine` to the QEMU that boots kernel and initramfs with the devices of
# a containerVM: three named ports, two disks, one NIC and the configuration.
describe_machine() {
  local kind bus kilohertz timer
  if [[ $2 == counted ]]; then
    machine=("${common_machine[@]}" "${accelerator_counted[@]}") kilohertz=1000000
  else
    machine=("${common_machine[@]}" "${accelerator_fast[@]}") kilohertz=$(tsc_kilohertz)
  fi
  kind=$(jq -r .machine "$1/boot.json")
  case $kind in
    pc) machine+=(-M 'pc,hpet=off,usb=off,vmport=off') bus=pci timer=nolapic_timer ;;
    # Its timers are the local APIC's: without them the guest's clock stops.
    microvm) machine+=(-M 'microvm,acpi=on,pit=on,pic=on,rtc=on,isa-serial=on,pcie=off,usb=off' -bios qboot.rom) bus=device timer='' ;;
    *) fail "$1/boot.json has machine '$kind'" ;;
  esac
  machine+=(-kernel "$1/kernel" -initrd "$1/initramfs"
    -append "$(jq -r .arguments "$1/boot.json") console=ttyS0 $timer tsc_early_khz=$kilohertz"
    -fw_cfg "name=opt/dev.berth/config,file=$work/config.json"
    -device "virtio-serial-$bus"
    -chardev "file,id=log,path=$work/log,append=on" -device 'virtserialport,chardev=log,name=dev.berth.log'
    -chardev "file,id=state,path=$work/state,append=on" -device 'virtserialport,chardev=state,name=dev.berth.state'
    -chardev "socket,id=control,path=$work/control,server=on,wait=off"
    -device 'virtserialport,chardev=control,name=dev.berth.control'
    -drive "if=none,id=image,format=raw,readonly=on,file=$work/image.raw" -device "virtio-blk-$bus,drive=image,serial=image"
    -drive "if=none,id=scratch,format=raw,file=$work/scratch.raw" -device "virtio-blk-$bus,drive=scratch,serial=scratch"
    -netdev 'user,id=net0,restrict=on' -device "virtio-net-$bus,netdev=net0,mac=52:54:00:12:34:56"
    -qmp "unix:$work/qmp,server=on,wait=off")
}

# describe_iso_machine ARTIFACT : the same for a BIOS boot of bootstrap.iso with the devices of vSphere.
describe_iso_machine() {
  machine=("${common_machine[@]}" "${accelerator_fast[@]}" -M pc -cdrom "$1/bootstrap.iso"
    -fw_cfg "name=opt/dev.berth/config,file=$work/config.json"
    -device 'pvscsi,id=scsi0' -drive "if=none,id=image,format=raw,file=$work/image.raw"
    -device 'scsi-hd,bus=scsi0.0,drive=image,serial=image'
    -netdev 'user,id=net0,restrict=on' -device 'vmxnet3,netdev=net0,mac=52:54:00:12:34:56')
}

# boot SECONDS PATTERN : runs `machine` until the pattern is on its serial console, in $work/console, then ends it.
# Sets `boot_milliseconds`, from start to the pattern, `boot_ticks`, the hundredths of a second of processor time that
# QEMU took, and `boot_resident`, its memory in KiB.
boot() {
  local process begun=${EPOCHREALTIME/./} deadline=$((SECONDS + $1))
  rm -f "$work/console" "$work/control" "$work/qmp"
  "${machine[@]}" -serial "file:$work/console" >"$work/qemu.out" 2>&1 &
  process=$!
  until grep -q -- "$2" "$work/console" 2>/dev/null; do
    if ! kill -0 "$process" 2>/dev/null || ((SECONDS >= deadline)); then
      kill "$process" 2>/dev/null || true
      wait "$process" 2>/dev/null || true
      say "no '$2' on the console within $1 s"
      tail -n 20 "$work/console" "$work/qemu.out" >&2 || true
      return 1
    fi
    sleep 0.02
  done
  boot_milliseconds=$(((${EPOCHREALTIME/./} - begun) / 1000))
  boot_ticks=$(awk '{ print $14 + $15 }' "/proc/$process/stat")
  boot_resident=$(awk '/^VmRSS/ { print $2 }' "/proc/$process/status")
  export boot_milliseconds boot_ticks boot_resident
  kill "$process"
  wait "$process" 2>/dev/null || true
}
