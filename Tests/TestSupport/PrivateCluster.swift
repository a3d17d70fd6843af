import Basics
import Foundation
import Glibc

/// Starts a throw-away PostgreSQL cluster for this process.
///
/// A watching shell does the cleaning: it notices the end of its standard input, which the system closes when this
/// process ends, however it ends. An exit handler would not run after a crash.
enum PrivateCluster {
    /// - Parameters:
    ///   - directory: where its folder is made; nil for the temporary directory.
    ///   - settings: of the server, beside or instead of those of a cluster that nothing needs to last in.
    /// - Returns: the superuser's URL.
    static func start(in directory: URL? = nil, settings: [String: String] = [:]) async throws -> String {
        // Making a cluster takes a second or two, in which its thread is blocked.
        try await SystemThread.run(named: "make-cluster") {
            try startBlocking(in: directory, settings: settings)
        }
    }

    private static func startBlocking(in directory: URL?, settings: [String: String]) throws -> String {
        let binaries = try binariesDirectory()
        let port = try FreePort.take()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let options = settings.map { "-c \($0)=\($1)" }.sorted().joined(separator: " ")
        process.arguments = ["-c", script, "sh", binaries, String(port), directory?.path ?? "", options]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        // Only the watching shell may hold the pipe's other end; ours must not reach processes that tests start.
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        try process.run()
        // Never closed on purpose: it ends with this process, and with it the cluster.
        _ = Unmanaged.passRetained(input)
        var report = ""
        while true {
            let data = output.fileHandleForReading.availableData
            report += String(decoding: data, as: UTF8.self)
            if report.contains("erm-cluster-ready\n") { break }
            guard !data.isEmpty else {
                throw PostgresClusterError("The private PostgreSQL cluster did not start: \(report)")
            }
        }
        return "postgres://postgres@127.0.0.1:\(port)/postgres"
    }

    /// PostgreSQL refuses to run as root, so root runs it as `postgres`. Nothing in it outlives the tests, so nothing
    /// needs to reach the disk.
    private static let script = """
        set -eu
        binaries=$1
        port=$2
        folder=$(mktemp -d "${3:-${TMPDIR:-/tmp}}/erm-test-postgres.XXXXXXXX")
        user=
        if [ "$(id -u)" = 0 ]; then
            user="setpriv --reuid=postgres --regid=postgres --clear-groups"
            chown postgres "$folder"
        fi
        cd "$folder"
        cleanup() {
            trap '' EXIT INT TERM HUP
            $user "$binaries/pg_ctl" stop -D "$folder/data" -m immediate -w -t 20 >/dev/null 2>&1 || true
            cd /
            rm -rf "$folder"
        }
        trap cleanup EXIT
        trap 'exit 1' INT TERM HUP
        $user "$binaries/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" \
            2>&1 || { cat "$folder/initdb.log"; exit 1; }
        $user "$binaries/pg_ctl" start -D "$folder/data" -w -t 60 -l "$folder/data/log" -o "-p $port \
            -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder/data' -c fsync=off \
            -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB \
            -c autovacuum=off -c max_wal_size=2GB $4" </dev/null >"$folder/start.log" 2>&1 \
            || { cat "$folder/start.log" "$folder/data/log"; exit 1; }
        echo erm-cluster-ready
        exec >/dev/null 2>&1
        # Ends when the process that started this shell does.
        cat >/dev/null
        """

    private static func binariesDirectory() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
        let candidates = versions.sorted(by: >).map { "\(root)/\($0)/bin" } + ["/usr/local/pgsql/bin", "/usr/bin"]
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") })
        else { throw PostgresClusterError("No PostgreSQL server found (initdb); install the package \"postgresql\".") }
        return found
    }
}
