# Runs in the container at each of its boots. The test compares its output.
set -o nounset
export PATH=/opt/bin:$PATH LOADER=/nix/loader NOTES=/out/notes CURRENT_SYSTEM=/run/current-system BOOTED_SYSTEM=/run/booted-system

watch=rk1-guard-watch.service
profiles=/nix/var/nix/profiles
until_true() {
  for ((try = 0; try < 900; try++)); do
    "$@" && return
    sleep 0.1
  done
  echo "never: $*"
}
is_up() { systemctl is-active --quiet "$watch"; }
is_down() { ! is_up; }
is_in() { [[ $(rk1-guard state) == "state=$1"* ]]; }
is_another() { is_up && [[ $(systemctl show --property MainPID --value "$watch") != "$1" ]]; }
runs() { printf '  it runs %s, and %s at the next boot\n' "$(basename "$(realpath /run/current-system)")" "$(basename "$(realpath $profiles/system)")"; }
# As `nixos-rebuild switch` does.
switch_to_new() {
  install_system new 2
  ln -sfn /nix/store/new /run/current-system
}
# As `nixos-rebuild boot` does.
install_system() {
  ln -sfn "/nix/store/$1" "$profiles/system-$2-link"
  ln -sfn "system-$2-link" "$profiles/system"
  ln -sfn "/nix/store/$1" /nix/loader
}
default() { printf '  the boot loader starts %s\n' "$(basename "$(realpath /nix/loader)")"; }
notes() {
  sed 's/^/  /' /out/notes
  rm -f /out/notes
}
is_noted() { grep -qs "$1" /out/notes; }
# Reboots into the other system, whose kernel is another one. The time since boot is the host's, so the limit is long.
reboot_into_other() {
  rm -f /out/notes
  rk1-guard arm 999999
  install_system other 3
  rk1-guard reboot
  notes
  default
}

# As the boot loader, or the kernel before, and stage 2 of the boot do.
if [[ -e /nix/kexec ]]; then
  booted=$(realpath /nix/kexec)
  rm /nix/kexec
else
  booted=$(realpath /nix/loader)
fi
ln -sfn "$booted" /run/current-system
ln -sfn "$booted" /run/booted-system

echo >>/out/boots
case $(wc -l </out/boots) in
1)
  echo "nothing is armed"
  systemctl start rk1-guard.service
  is_down && echo "  there is no watch"

  echo "armed, and confirmed"
  rk1-guard arm 600
  systemctl show --property FragmentPath,Restart,Description "$watch" | sed 's/^/  /'
  switch_to_new
  rk1-guard confirm
  until_true is_down
  runs

  echo "armed, and not confirmed"
  $profiles/system-1-link/bin/switch-to-configuration switch
  ln -sfn system-1-link $profiles/system
  rm -f /out/notes
  rk1-guard arm 2
  switch_to_new
  until_true is_in reverted
  until_true is_down
  runs
  sed 's/^/  /' /out/notes

  echo "armed, and its watch killed"
  rk1-guard arm 8
  switch_to_new
  killed=$(systemctl show --property MainPID --value "$watch")
  kill -KILL "$killed"
  until_true is_another "$killed"
  until_true is_in reverted
  runs

  echo "armed, and power lost"
  rk1-guard arm 30
  switch_to_new
  runs
  ;;
2)
  echo "booted again"
  runs
  is_down && is_in armed && echo "  it is armed, and there is no watch yet"
  systemctl start rk1-guard.service
  until_true is_in reverted
  until_true is_down
  runs

  echo "rebooted into another kernel"
  reboot_into_other
  ;;
3)
  echo "booted, and confirmed"
  systemctl start rk1-guard.service
  runs
  default
  rk1-guard confirm
  until_true is_down
  default

  echo "rebooted into a kernel that never starts a program"
  /nix/store/old/bin/switch-to-configuration switch
  ln -sfn system-1-link $profiles/system
  reboot_into_other
  # The watchdog resets the board.
  rm /nix/kexec
  ;;
4)
  echo "booted by the boot loader"
  runs
  systemctl start rk1-guard.service
  until_true is_in reverted
  until_true is_down
  runs

  echo "rebooted into another kernel"
  reboot_into_other
  ;;
5)
  echo "booted, and rolled back"
  runs
  systemctl start rk1-guard.service
  rm -f /out/notes
  rk1-guard revert
  until_true is_noted "^systemctl reboot"
  notes
  default
  ;;
6)
  echo "booted by the boot loader"
  systemctl start rk1-guard.service
  until_true is_in reverted
  until_true is_down
  runs

  echo "confirmed, and power lost before the boot loader knows"
  reboot_into_other
  ;;
7)
  echo "booted"
  mv /var/lib/rk1/guard/armed /var/lib/rk1/guard/keeping
  systemctl start rk1-guard.service
  until_true is_in confirmed
  runs
  default
  ;;
esac
