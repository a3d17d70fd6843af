import Foundation

/// wrk, a package of Debian, as the asking program: it leaves more of the machine to what is measured than a client of ours would.
struct Wrk {
    let url: String
    var token: String?
    /// Of another request than a GET.
    var script: URL?

    /// - Throws: `CommandFailure` where wrk gives no report, as where it is not installed.
    func run(connections: Int, seconds: Int) throws -> WrkReport {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["wrk", "-t1", "-c\(connections)", "-d\(seconds)s", "--latency"]
            + (token.map { ["-H", "Authorization: Bearer \($0)"] } ?? []) + (script.map { ["-s", $0.path] } ?? []) + [
                url
            ]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let report = WrkReport(text) else { throw CommandFailure("wrk gave no report: \(text)") }
        return report
    }
}

/// What wrk prints.
struct WrkReport: Equatable {
    let requests: Int
    let rate: Double
    /// Milliseconds.
    let median: Double
    /// Milliseconds.
    let p99: Double
    let failed: Int

    /// nil when it is no report of wrk with latencies.
    init?(_ text: String) {
        var (requests, rate, median, p99): (Int?, Double?, Double?, Double?) = (nil, nil, nil, nil)
        var failed = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.contains(" requests in "), let first = words.first { requests = Int(first) }
            if words.first == "Requests/sec:", words.count == 2 { rate = Double(words[1]) }
            if words.first == "50%", words.count == 2 { median = Self.milliseconds(words[1]) }
            if words.first == "99%", words.count == 2 { p99 = Self.milliseconds(words[1]) }
            if words.first == "Non-2xx", let last = words.last { failed += Int(last) ?? 1 }
        }
        guard let requests, requests > 0, let rate, let median, let p99 else { return nil }
        (self.requests, self.rate, self.median, self.p99, self.failed) = (requests, rate, median, p99, failed)
    }

    private static func milliseconds(_ text: Substring) -> Double? {
        for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * factor }
        }
        return nil
    }
}
