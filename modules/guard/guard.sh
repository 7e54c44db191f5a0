# Rolls the node back to the previous system unless somebody confirms the new one in time: docs/deploy.md.
#
# usage: rk1-guard arm SECONDS [booted] | reboot | confirm | revert | state | needs-reboot SYSTEM | resume | watch
#   arm      records the running system, or the one of the last boot, to which the node rolls back after SECONDS
#   reboot   boots the profile's system, once until it is confirmed
#   confirm  keeps the new system
#   revert   rolls back now
#   state    prints the state as key=value lines
#   needs-reboot
#            prints what of SYSTEM takes effect after a reboot only, a line each
#   resume   at boot: continues a watch or a rollback that the reboot interrupted
#   watch    waits for the deadline and rolls back; runs in a unit of its own
#
# The directory $GUARD_STATE holds one file whose name is the state. A state changes by a rename, so that only one of a
# deadline and a simultaneous confirmation succeeds:
#
#   armed -> keeping -> confirmed
#   armed -> reverting -> reverted
#
# `reverting` ends only when the old system runs again, and `keeping` when the boot loader starts the new one by default: a
# run that was interrupted there starts again there.
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
  system='' generation='' limit='' boot='' armed_at='' deadline='' rebooted='' tried=''
  while IFS='=' read -r key value; do
    case $key in
    system) system=$value ;;
    generation) generation=$value ;;
    limit) limit=$value ;;
    boot) boot=$value ;;
    armed_at) armed_at=$value ;;
    deadline) deadline=$value ;;
    rebooted) rebooted=$value ;;
    tried) tried=$value ;;
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
  if is armed || is keeping || is reverting; then
    fail "the guard is already armed: confirm or revert first"
  fi
  local generation=
  case ${2-} in
  '') system=$(realpath "$CURRENT_SYSTEM") ;;
  # The running system waits for a reboot into its kernel. The kernel that runs is that of the last boot.
  booted) system=$(realpath "$BOOTED_SYSTEM") ;;
  *) fail "\`$2\` is not understood" ;;
  esac
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

# make_default SYSTEM: the boot loader starts it unless somebody chooses another. 100: it needs a reboot.
make_default() {
  local code=0
  NIXOS_NO_CHECK=1 "$1/bin/switch-to-configuration" boot || code=$?
  ((code == 0 || code == 100)) || fail "$1 cannot be made the default of the boot loader: status $code"
}

# Reboots into the system that `nixos-rebuild boot` made the profile's.
#
# With kexec the boot loader's default stays the old system until the new one is confirmed: the running kernel starts the new
# one itself. Whatever resets the board, such as a panic or the watchdog, brings the old system back, even if the new kernel
# never ran a program.
reboot() {
  is armed || fail "the guard is not armed: arm it first"
  load armed
  local new
  new=$(realpath "$SYSTEM_PROFILE")
  [[ -n $system && $new != "$system" ]] || fail "the profile has no new system: run \`nixos-rebuild boot\` first"
  if [[ $REBOOT_BY != kexec ]]; then
    systemctl --no-block reboot
    return
  fi
  make_default "$system"
  printf 'tried=%s\n' "$new" >>"$GUARD_STATE/armed"
  sync "$GUARD_STATE/armed"
  kexec --load "$new/kernel" --initrd="$new/initrd" \
    --command-line="init=$new/init $(<"$new/kernel-params")" ||
    fail "the kernel of $new cannot be loaded: set rk1.guard.rebootBy to \`reboot\` on this node"
  systemctl --no-block kexec
}

# Whether the boot loader has brought the old system back, instead of the one that `reboot` tried.
trial_failed() {
  [[ -n $tried ]] && has_rebooted && [[ $(realpath "$BOOTED_SYSTEM") == "$system" ]]
}

confirm() {
  is armed || fail "the guard is not armed: there is nothing to confirm"
  load armed
  if [[ -n $tried && $(realpath "$CURRENT_SYSTEM") != "$tried" ]]; then
    fail "$tried does not run: there is nothing to confirm"
  fi
  become armed keeping || fail "the guard is not armed: there is nothing to confirm"
  keep
}

# The decision has been made. This finishes it, also after a power cut.
keep() {
  load keeping
  if [[ -n $tried ]]; then
    make_default "$tried"
  fi
  rm --force "$GC_ROOT"
  become keeping confirmed
}

# Prints the entries of a flat JSON object, one a line.
entries() {
  [[ -e $1 ]] || return 0
  sed 's/[{},]/\n/g' "$1" | sed --quiet 's/^[[:space:]]*"\([^"]*\)"[[:space:]]*:[[:space:]]*"\([^"]*\)"[[:space:]]*$/\1=\2/p'
}

# needs_reboot SYSTEM: the kernel and what belongs to it, and the parts that NixOS refuses to switch: both systems have
# them, and they differ (nixos/modules/system/activation/switchable-system.nix).
needs_reboot() {
  [[ -e $1/init ]] || fail "\`$1\` is not a system"
  local part name value old
  for part in kernel kernel-modules dtbs; do
    [[ $(realpath "$BOOTED_SYSTEM/$part") == "$(realpath "$1/$part")" ]] || echo "$part"
  done
  [[ $(<"$BOOTED_SYSTEM/kernel-params") == "$(<"$1/kernel-params")" ]] || echo kernel-params
  while IFS='=' read -r name value; do
    old=$(entries "$CURRENT_SYSTEM/switch-inhibitors" | sed --quiet "s|^$name=||p")
    [[ -z $old || $old == "$value" ]] || echo "refuses-switch $name"
  done < <(entries "$1/switch-inhibitors")
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
    make_default "$system"
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
      if trial_failed; then
        echo "rk1-guard: $tried did not start" >&2
        become armed reverting || true
      elif (($(left) >= 0)); then
        sleep 1
      else
        echo "rk1-guard: the new system was not confirmed within $limit seconds" >&2
        become armed reverting || true
      fi
    elif is reverting; then
      go_back
    elif is keeping; then
      keep
    else
      return 0
    fi
  done
}

state() {
  local name
  for name in armed keeping reverting reverted confirmed; do
    if is "$name"; then
      load "$name"
      printf 'state=%s\nsystem=%s\ngeneration=%s\n' "$name" "$system" "$generation"
      [[ $name == armed ]] && printf 'left=%s\n' "$(left)"
      break
    fi
    [[ $name == confirmed ]] && echo "state=idle"
  done
  printf 'running=%s\nbooted=%s\n' "$(realpath "$CURRENT_SYSTEM")" "$(realpath "$BOOTED_SYSTEM")"
}

case ${1-} in
arm) arm "${2-}" "${3-}" ;;
reboot) reboot ;;
confirm) confirm ;;
revert)
  is reverting || become armed reverting || fail "the guard is not armed: there is nothing to roll back"
  watched || start_watch
  ;;
state) state ;;
needs-reboot) needs_reboot "${2-}" ;;
resume)
  if is armed || is keeping || is reverting; then
    watched || start_watch
  fi
  ;;
watch) watch ;;
*) fail "usage: rk1-guard arm SECONDS | reboot | confirm | revert | state | needs-reboot SYSTEM" ;;
esac
