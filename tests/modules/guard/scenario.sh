# Runs in the container at each of its two boots. The test compares its output.
set -o nounset
export PATH=/opt/bin:$PATH NOTES=/out/notes CURRENT_SYSTEM=/run/current-system BOOTED_SYSTEM=/run/booted-system

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
  ln -sfn /nix/store/new "$profiles/system-2-link"
  ln -sfn system-2-link "$profiles/system"
  ln -sfn /nix/store/new /run/current-system
}

# As stage 2 of the boot does.
ln -sfn "$(realpath $profiles/system)" /run/current-system
ln -sfn "$(realpath $profiles/system)" /run/booted-system

if [[ ! -e /out/second ]]; then
  touch /out/second
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
else
  echo "booted again"
  runs
  is_down && is_in armed && echo "  it is armed, and there is no watch yet"
  systemctl start rk1-guard.service
  until_true is_in reverted
  until_true is_down
  runs
fi
