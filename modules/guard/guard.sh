# Rolls the node back to the previous system unless somebody confirms the new one in time: docs/deploy.md.
#
# usage: rk1-guard arm SECONDS | confirm | revert | state | resume | watch
#   arm      records the running system, to which the node rolls back after SECONDS
#   confirm  keeps the new system
#   revert   rolls back now
#   state    prints the state as key=value lines
#   resume   at boot: continues a watch or a rollback that the reboot interrupted
#   watch    waits for the deadline and rolls back; runs in a unit of its own
#
# The directory $GUARD_STATE holds one file whose name is the state. A state changes by a rename, so that only one of a
# deadline and a simultaneous confirmation succeeds:
#
#   armed -> confirmed
#   armed -> reverting -> reverted
#
# `reverting` ends only when the old system runs again: a run that was interrupted there starts again there.
set -o errexit -o nounset -o pipefail

readonly unit=rk1-guard-watch

fail() {
  printf 'rk1-guard: %s\n' "$1" >&2
  exit 1
}

is() { [[ -e $GUARD_STATE/$1 ]]; }

# become FROM TO: fails if another process was faster.
become() {
  mv --no-target-directory "$GUARD_STATE/$1" "$GUARD_STATE/$2" 2>/dev/null || return 1
  sync "$GUARD_STATE"
}

# Prints the seconds since boot, which never jump, unlike the clock.
uptime() {
  local since
  read -r since _ </proc/uptime
  echo "${since%.*}"
}

# load STATE: reads what `arm` recorded. Damaged records count as overdue: the node rolls back to the system that the
# garbage collector's root names.
load() {
  local key value
  system='' generation='' limit='' boot='' armed_at='' deadline='' rebooted=''
  while IFS='=' read -r key value; do
    case $key in
    system) system=$value ;;
    generation) generation=$value ;;
    limit) limit=$value ;;
    boot) boot=$value ;;
    armed_at) armed_at=$value ;;
    deadline) deadline=$value ;;
    rebooted) rebooted=$value ;;
    esac
  done <"$GUARD_STATE/$1"
  local number='^(0|[1-9][0-9]{0,17})$'
  if [[ $system != /* || ! $generation =~ ^[0-9]{0,9}$ || ! $boot =~ ^[A-Za-z0-9-]+$ ||
    ! $limit =~ $number || ! $armed_at =~ $number || ! $deadline =~ $number ]]; then
    system='' generation='' limit=0 boot=unknown armed_at=0 deadline=0
    if [[ -e $GC_ROOT ]]; then
      system=$(realpath "$GC_ROOT")
    fi
  fi
}

has_rebooted() { [[ $boot != "$(</proc/sys/kernel/random/boot_id)" ]]; }

# Prints the seconds until the deadline, negative after it. After a reboot the clock counts, or the time since boot if the
# clock lags.
left() {
  if has_rebooted; then
    local by_clock=$((deadline - $(date +%s))) by_boot=$((limit - $(uptime)))
    echo $((by_clock < by_boot ? by_clock : by_boot))
  else
    echo $((armed_at + limit - $(uptime)))
  fi
}

watched() { systemctl is-active --quiet "$unit.service"; }

start_watch() {
  # A transient unit, because a switch only stops and starts the units of /etc. The program is named by its store path,
  # since /run/current-system is about to change.
  systemd-run --quiet --collect --service-type=exec --unit="$unit" \
    --description="Roll back to the previous system unless the new one is confirmed" \
    --property=Restart=on-failure --property=RestartSec=5 --property=StartLimitIntervalSec=0 \
    "$(realpath "$0")" watch
}

arm() {
  [[ $1 =~ ^[1-9][0-9]{0,5}$ ]] || fail "\`$1\` is not a number of seconds"
  if is armed || is reverting; then
    fail "the guard is already armed: confirm or revert first"
  fi
  local generation=
  system=$(realpath "$CURRENT_SYSTEM")
  # `nixos-rebuild test` runs a system without a generation. The rollback then uses its path.
  if [[ $(realpath "$SYSTEM_PROFILE") == "$system" ]]; then
    generation=$(readlink "$SYSTEM_PROFILE")
    generation=${generation%-link}
    generation=${generation##*-}
  fi
  install --directory --mode 0700 "$GUARD_STATE"
  rm --force "$GUARD_STATE/confirmed" "$GUARD_STATE/reverted"
  # Keeps the old system from the garbage collector until the end.
  ln --symbolic --force --no-dereference "$system" "$GC_ROOT"
  cat >"$GUARD_STATE/new" <<END
system=$system
generation=$generation
limit=$1
boot=$(</proc/sys/kernel/random/boot_id)
armed_at=$(uptime)
deadline=$(($(date +%s) + $1))
END
  sync "$GUARD_STATE/new"
  become new armed
  # An earlier watch may not have noticed yet that it is over.
  systemctl stop "$unit.service" 2>/dev/null || true
  start_watch || {
    become armed confirmed
    fail "the watch cannot be started: the guard is not armed"
  }
}

# Whether the node was rebooted since `arm`, into a kernel that the old system does not have. A switch cannot change that.
runs_another_kernel() {
  has_rebooted || return 1
  local part
  for part in kernel initrd kernel-modules; do
    [[ $(realpath "$BOOTED_SYSTEM/$part") == "$(realpath "$system/$part")" ]] || return 0
  done
  [[ $(<"$BOOTED_SYSTEM/kernel-params") != "$(<"$system/kernel-params")" ]]
}

go_back() {
  load reverting
  [[ -n $system ]] || fail "the guard's state is damaged and $GC_ROOT is missing: choose a generation with \`nixos-rebuild\`"
  # A switch that hangs holds the lock that the rollback needs.
  systemctl stop 'nixos-rebuild-switch-to-configuration*.service' || true
  if [[ $(realpath "$SYSTEM_PROFILE") != "$system" ]]; then
    { [[ -n $generation ]] && nix-env --profile "$SYSTEM_PROFILE" --switch-generation "$generation"; } ||
      nix-env --profile "$SYSTEM_PROFILE" --set "$system"
  fi
  # NixOS refuses to switch between systems that differ in parts such as the D-Bus implementation. Running the old system
  # matters more here.
  export NIXOS_NO_CHECK=1
  local code=0
  # Once only: a boot loader that starts the new kernel again must not make the node reboot forever.
  if [[ -z $rebooted ]] && runs_another_kernel; then
    "$system/bin/switch-to-configuration" boot || code=$?
    ((code == 0)) || fail "$system cannot be made the default of the boot loader: status $code"
    printf 'rebooted=yes\n' >>"$GUARD_STATE/reverting"
    sync "$GUARD_STATE/reverting"
    echo "rk1-guard: rebooting into the kernel of $system" >&2
    systemctl reboot
    exit 0
  fi
  "$system/bin/switch-to-configuration" switch || code=$?
  case $code in
  # 2 and 4: it is activated, but one of its scripts or units failed. 100: it needs a reboot.
  0 | 2 | 4 | 100) ;;
  *) fail "$system cannot be activated: status $code" ;;
  esac
  become reverting reverted
  rm --force "$GC_ROOT"
  echo "rk1-guard: rolled back to $system; its activation ended with status $code" >&2
}

watch() {
  while true; do
    # In the order of the states, or a change between the two checks would hide the state from both.
    if is armed; then
      load armed
      # Whole seconds: never early, at most two late.
      if (($(left) >= 0)); then
        sleep 1
      else
        echo "rk1-guard: the new system was not confirmed within $limit seconds" >&2
        become armed reverting || true
      fi
    elif is reverting; then
      go_back
    else
      return 0
    fi
  done
}

state() {
  local name
  for name in armed reverting reverted confirmed; do
    if is "$name"; then
      load "$name"
      printf 'state=%s\nsystem=%s\ngeneration=%s\n' "$name" "$system" "$generation"
      [[ $name == armed ]] && printf 'left=%s\n' "$(left)"
      break
    fi
    [[ $name == confirmed ]] && echo "state=idle"
  done
  printf 'running=%s\n' "$(realpath "$CURRENT_SYSTEM")"
}

case ${1-} in
arm) arm "${2-}" ;;
confirm)
  become armed confirmed || fail "the guard is not armed: there is nothing to confirm"
  rm --force "$GC_ROOT"
  ;;
revert)
  is reverting || become armed reverting || fail "the guard is not armed: there is nothing to roll back"
  watched || start_watch
  ;;
state) state ;;
resume)
  if is armed || is reverting; then
    watched || start_watch
  fi
  ;;
watch) watch ;;
*) fail "usage: rk1-guard arm SECONDS | confirm | revert | state" ;;
esac
