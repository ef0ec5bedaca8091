# Sourced by the other scripts in this folder: paths, Python environments, and background processes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
work=$root/target/ci
mkdir -p "$work"
export SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true

# venv NAME: the Python packages of .ci/NAME.txt in a virtual environment of their own, because they need different versions
# of the same packages.
venv() {
  local name=$1
  if ! cmp -s ".ci/$name.txt" "$work/$name/installed.txt"; then
    rm -rf "${work:?}/$name"
    python3 -m venv "$work/$name" &&
      "$work/$name/bin/pip" install -q --disable-pip-version-check -r ".ci/$name.txt" &&
      cp ".ci/$name.txt" "$work/$name/installed.txt"
  fi
}

# Builds `multipartner`, `sample-events` and `api-docs` into target/debug. Another selection of packages than that of
# `cargo test --workspace` has other features of dependencies, so Cargo would build all of them a second time.
programs() {
  logged "$work/programs.log" cargo test -q --workspace --no-run
}

# Puts the programs of tools.txt on the path and writes the template as JSON for functions.py.
tools() {
  venv tools
  programs
  # First on the path, so that `cargo lambda` and zig have the versions of the list.
  export PATH=$work/tools/bin:$PATH
  if [ ! "$work/template.json" -nt template.yaml ]; then
    target/debug/sample-events template >"$work/template.json.new"
    mv "$work/template.json.new" "$work/template.json"
  fi
}

# logged LOG COMMAND…: prints the end of the output only if the command fails.
logged() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { local code=$?; tail -n 60 "$log"; return "$code"; }
}

# Background processes of this script. They end when the script ends.
started=()
finish() {
  local pid
  for pid in "${started[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${started[@]}"; do
    wait "$pid" 2>/dev/null || true
  done
  started=()
}
trap finish EXIT

# start LOG COMMAND…: runs the command in the background.
start() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null &
  started+=($!)
}

# wait_for SECONDS LOG COMMAND…: waits until the command succeeds.
wait_for() {
  local seconds=$1 log=$2 began=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $((SECONDS - began)) -ge "$seconds" ]; then
      printf 'waited %d s for: %s\n' "$seconds" "$*"
      tail -n 40 "$log"
      return 1
    fi
    sleep 0.2
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# answers PORT [ADDRESS]: succeeds if a process on this machine listens there.
answers() {
  python3 -c 'import socket, sys; socket.create_connection((sys.argv[2], int(sys.argv[1])), 1).close()' "$1" "${2:-127.0.0.1}"
}

# start_queue ADDRESS: starts an emulated SQS with one queue and sets $queue_endpoint and $queue_url. The caller sets
# credentials and Region.
start_queue() {
  local address=$1 port
  venv emulator
  port=$(free_port)
  queue_endpoint=http://$address:$port
  start "$work/queue.log" env BIND_HOST="$address" GATEWAY_PORT="$port" "$work/emulator/bin/ministack"
  wait_for 60 "$work/queue.log" answers "$port" "$address"
  queue_url=$(python3 - "$queue_endpoint" <<'PYTHON'
import boto3, sys
print(boto3.client("sqs", endpoint_url=sys.argv[1]).create_queue(QueueName="webhooks")["QueueUrl"])
PYTHON
  )
}

# start_account LOG [AUTH]: starts an emulated account on loopback. Its functions are processes of this machine, so their webhooks
# go to receivers here. With AUTH=true it checks IAM policies for every call.
start_account() {
  local log=$1 auth=${2:-false} port
  venv emulator
  port=$(free_port)
  export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  start "$log" env -u AWS_ENDPOINT_URL AUTH="$auth" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" LAMBDA_EXECUTOR=local \
    "$work/emulator/bin/ministack"
  wait_for 60 "$log" answers "$port"
}

# Makes an operator key and sets $operator_key and $operator_key_hash.
new_operator_key() {
  local printed
  printed=$(target/debug/multipartner keygen)
  operator_key=$(grep -o 'mpk_[A-Za-z0-9_-]\{43\}' <<<"$printed" | head -n 1)
  operator_key_hash=$(grep -o '\b[0-9a-f]\{64\}\b' <<<"$printed" | head -n 1)
}
