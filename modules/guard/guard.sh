# Goes back to the system that ran before, unless somebody confirms the new one in time: docs/deploy.md.
#
# usage: rk1-guard arm SECONDS | confirm | revert | state | resume | watch
#   arm      notes the running system; SECONDS later the node goes back to it
#   confirm  the new system stays
#   revert   goes back now
#   state    says where it stands, as key=value lines
#   resume   at boot: watches on where a deadline was, or a way back half gone
#   watch    waits for the deadline and goes back; runs in a unit of its own
#
# The directory $GUARD_STATE holds one file, and its name is the state. A state changes by a rename, so a deadline that passes
# while somebody confirms has one winner:
#
#   armed -> confirmed
#   armed -> reverting -> reverted
#
# `reverting` is left only when the old system runs again: a run that was cut there begins there.
set -o errexit -o nounset -o pipefail

readonly unit=rk1-guard-watch

fail() {
  printf 'rk1-guard: %s\n' "$1" >&2
  exit 1
}

is() { [[ -e $GUARD_STATE/$1 ]]; }

# become FROM TO: fails where somebody else was faster.
become() {
  mv --no-target-directory "$GUARD_STATE/$1" "$GUARD_STATE/$2" 2>/dev/null || return 1
  sync "$GUARD_STATE"
}

# Seconds since boot: unlike the clock it never jumps.
uptime() {
  local since
  read -r since _ </proc/uptime
  echo "${since%.*}"
}

# load STATE: what was noted when it was armed.
load() {
  local key value
  while IFS='=' read -r key value; do
    case $key in
    system) system=$value ;;
    generation) generation=$value ;;
    limit) limit=$value ;;
    boot) boot=$value ;;
    armed_at) armed_at=$value ;;
    deadline) deadline=$value ;;
    esac
  done <"$GUARD_STATE/$1"
}

# Seconds until the deadline, perhaps negative. After a reboot the clock counts; where it lags, the time since boot.
left() {
  if [[ $boot == "$(</proc/sys/kernel/random/boot_id)" ]]; then
    echo $((armed_at + limit - $(uptime)))
  else
    local by_clock=$((deadline - $(date +%s))) by_boot=$((limit - $(uptime)))
    echo $((by_clock < by_boot ? by_clock : by_boot))
  fi
}

watched() { systemctl is-active --quiet "$unit.service"; }

start_watch() {
  # Transient, so that the switch that it watches over leaves it alone: it stops and starts units of /etc alone. By its
  # path in the store, since /run/current-system is about to be another.
  systemd-run --quiet --collect --service-type=exec --unit="$unit" \
    --description="Go back to the system of before, unless somebody confirms the new one" \
    --property=Restart=on-failure --property=RestartSec=5 --property=StartLimitIntervalSec=0 \
    "$(realpath "$0")" watch
}

arm() {
  [[ $1 =~ ^[1-9][0-9]{0,5}$ ]] || fail "\`$1\` is not a number of seconds"
  if is armed || is reverting; then
    fail "it is armed already: confirm or revert first"
  fi
  local generation=
  system=$(realpath "$CURRENT_SYSTEM")
  # Somebody may have tried a system without a generation: it has none to go back to, but its path.
  if [[ $(realpath "$SYSTEM_PROFILE") == "$system" ]]; then
    generation=$(readlink "$SYSTEM_PROFILE")
    generation=${generation%-link}
    generation=${generation##*-}
  fi
  install --directory --mode 0700 "$GUARD_STATE"
  rm --force "$GUARD_STATE/confirmed" "$GUARD_STATE/reverted"
  # Until this is over the garbage collector keeps the old system.
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
  # The last one may not have seen yet that it is over.
  systemctl stop "$unit.service" 2>/dev/null || true
  start_watch || {
    become armed confirmed
    fail "no watch can be started: nothing is armed"
  }
}

go_back() {
  load reverting
  # A switch that hangs holds the lock that the way back needs.
  systemctl stop 'nixos-rebuild-switch-to-configuration*.service' || true
  if [[ $(realpath "$SYSTEM_PROFILE") != "$system" ]]; then
    { [[ -n $generation ]] && nix-env --profile "$SYSTEM_PROFILE" --switch-generation "$generation"; } ||
      nix-env --profile "$SYSTEM_PROFILE" --set "$system"
  fi
  local code=0
  "$system/bin/switch-to-configuration" switch || code=$?
  case $code in
  # 2 and 4: it is activated, and a script or a unit of it failed. 100: it takes a reboot.
  0 | 2 | 4 | 100) ;;
  *) fail "$system cannot be activated: status $code" ;;
  esac
  become reverting reverted
  rm --force "$GC_ROOT"
  echo "rk1-guard: this is $system again; its activation ended with status $code" >&2
}

watch() {
  while true; do
    # In the order in which one becomes the other, or a change between the two questions would hide it from both.
    if is armed; then
      load armed
      # In whole seconds: early by none, late by at most two.
      if (($(left) >= 0)); then
        sleep 1
      else
        echo "rk1-guard: nobody has confirmed within $limit s" >&2
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
  become armed confirmed || fail "it is not armed: there is nothing to confirm"
  rm --force "$GC_ROOT"
  ;;
revert)
  is reverting || become armed reverting || fail "it is not armed: there is nothing to go back to"
  watched || start_watch
  ;;
state) state ;;
resume)
  if is armed || is reverting; then
    watched || start_watch
  fi
  ;;
watch) watch ;;
*) fail "say arm SECONDS, confirm, revert or state" ;;
esac
