for ((second = 0; second < TIMEOUT; second++)); do
  if [[ -e /run/systemd/timesync/synchronized ]]; then
    exit 0
  fi
  sleep 1
done
echo "no time server answered within $TIMEOUT seconds; the clock stays at $(date --utc)" >&2
