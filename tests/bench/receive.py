#!/usr/bin/env python3
"""Measures what receiving costs: CPU a span, spans a second, how long requests take, peak memory.

    cargo build --release
    cargo bench --bench generate -- 100000 /tmp/spans
    tests/bench/receive.py /tmp/spans.pb [REPEATS]

Starts `tracectl listen`, sends the requests of the file to it over gRPC and over HTTP, on 1 and on 4 connections, and reads from
/proc what the listener has used (Linux only). The record goes to a temporary file in RECORDS, or where temporary files go.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TRACECTL = os.environ.get("TRACECTL", os.path.join(HERE, "..", "..", "target", "release", "tracectl"))
TICK = os.sysconf("SC_CLK_TCK")


def client():
    """Builds the sender, unless SENDER names one, and says where it is."""
    if "SENDER" in os.environ:
        return os.environ["SENDER"]
    command = ["cargo", "bench", "--bench", "receive", "--no-run", "--message-format", "json"]
    lines = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    built = [json.loads(line).get("executable") for line in lines if '"receive"' in line]
    return [path for path in built if path][-1]


def used(pid):
    """User and system seconds so far, and peak memory in MB."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM")).split()[1]
    return int(fields[11]) / TICK, int(fields[12]) / TICK, int(peak) / 1024


def measure(sender, file, protocol, connections, repeats):
    """One listener, one sender, one line."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("RECORDS")) as folder:
        command = [TRACECTL, "listen", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--view", "none"]
        command += ["--log-format", "json", "-o", os.path.join(folder, "run.pb")]
        listener = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        ready = json.loads(listener.stderr.readline())
        arguments = [protocol, ready[protocol], file, str(connections), str(repeats)]
        sent = json.loads(subprocess.run([sender, *arguments], stdout=subprocess.PIPE, check=True, text=True).stdout)
        user, system, peak = used(listener.pid)
        listener.send_signal(signal.SIGTERM)
        stopped = json.loads(listener.stderr.read().splitlines()[-1])
        listener.wait()
    assert stopped["spans"] == sent["spans"] and sent["failed"] == 0, (stopped, sent)
    cost = [1e6 * part / sent["spans"] for part in (user + system, user, system)]
    print(f"{protocol:4} {connections:2} connections: {cost[0]:.2f} us/span (user {cost[1]:.2f}, system {cost[2]:.2f}), "
          f"{sent['spans'] / sent['seconds']:,.0f} spans/s, p50 {sent['p50_ms']:.1f} ms, p99 {sent['p99_ms']:.1f} ms, "
          f"peak {peak:.0f} MB", flush=True)


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    sender = client()
    for protocol in ("grpc", "http"):
        for connections in (1, 4):
            measure(sender, sys.argv[1], protocol, connections, repeats)


if __name__ == "__main__":
    main()
