"""What idle connections cost a gateway in memory and processor time.

usage: idle_connections.py PORT PID [COUNT]

PORT and PID are the gateway's on this machine; start it with HTTP_MAX_CONNECTIONS_PER_CLIENT=0 and enough open files (ulimit -n). Prints
the resident memory before, with COUNT connections that have sent nothing, and after their end.
"""

import pathlib
import resource
import socket
import sys
import time


def resident_mib(pid: str) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def processor_seconds(pid: str) -> float:
    # The name in brackets may hold blanks.
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    port, pid = int(sys.argv[1]), sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before, used = resident_mib(pid), processor_seconds(pid)
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    # The last ones are accepted.
    time.sleep(2)
    during, spent = resident_mib(pid), processor_seconds(pid) - used
    for connection in connections:
        connection.close()
    time.sleep(3)
    print(
        f"connections={count} before_mib={before:.1f} idle_mib={during:.1f} after_mib={resident_mib(pid):.1f} "
        f"each_kib={(during - before) * 1024 / count:.1f} cpu_us_each={spent / count * 1e6:.0f}"
    )


if __name__ == "__main__":
    main()
