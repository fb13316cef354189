"""Spans a second from `tracectl replay` and `tracectl emit` into `tracectl listen` on the same machine.

Usage: replay.py PROGRAM CAPTURE [ROUNDS]. The listener checks every request and keeps nothing: what is measured is both ends.
`emit` sends as many spans as the capture has, which it makes up meanwhile.
`cargo bench --bench generate -- 1000000 PREFIX` makes captures.
"""

import json
import resource
import signal
import subprocess
import sys

program, capture = sys.argv[1:3]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3


def best(protocol, command):
    """Spans, and the most of them a second."""
    fastest = 0
    for _ in range(rounds):
        listen = [program, "listen", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--view", "none"]
        sink = subprocess.Popen([*listen, "--log-format", "json"], stderr=subprocess.PIPE, text=True)
        ready = json.loads(sink.stderr.readline())
        port = ready["grpc" if protocol == "grpc" else "http"]
        to = ["--to", f"http://{port}", "--protocol", protocol, "--log-format", "json"]
        sent = subprocess.run([program, *command, *to], stderr=subprocess.PIPE, text=True)
        sink.send_signal(signal.SIGINT)
        sink.communicate()
        last = json.loads(sent.stderr.splitlines()[-1])
        assert last["accepted"] == last["spans"], last
        fastest = max(fastest, last["spans"] / last["seconds"])
    return last["spans"], fastest


for protocol in ("grpc", "http/protobuf", "http/json"):
    spans, fastest = best(protocol, ["replay", capture])
    print(f"replay {protocol:14} {fastest:12,.0f} spans/s, best of {rounds}")
    _, fastest = best(protocol, ["emit", "--spans", str(spans)])
    print(f"emit   {protocol:14} {fastest:12,.0f} spans/s, best of {rounds}")
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"largest process {memory / 1024:.0f} MiB")
