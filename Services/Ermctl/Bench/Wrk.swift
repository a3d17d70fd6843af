import Foundation

/// wrk, a package of Debian, as the asking program: it leaves more of the machine to what is measured than a client of ours would.
struct Wrk {
    let url: String
    var token: String?
    /// Of another request than a GET.
    var script: URL?

    /// - Throws: `CommandFailure` where wrk gives no report, as where it is not installed.
    func run(connections: Int, seconds: Int) throws -> WrkReport {
        let text = try Program.output(
            of: ["wrk", "-t1", "-c\(connections)", "-d\(seconds)s", "--latency"]
                + (token.map { ["-H", "Authorization: Bearer \($0)"] } ?? [])
                + (script.map { ["-s", $0.path] } ?? []) + [url])
        guard let report = WrkReport(text) else { throw CommandFailure("wrk gave no report: \(text)") }
        return report
    }
}

extension Wrk {
    /// What wrk has asked when it ends is carried out all the same, and counts as under way until then.
    private static let leftover = 1.0

    private static let mostWarmUps = 30

    /// Sends the same JSON again and again, as long as `seconds`, after a warm-up that has ended with an answer.
    /// - Throws: `CommandFailure` also where a request was not answered with success.
    static func post(
        _ json: [UInt8], to url: String, token: String?, connections: Int, seconds: Double
    ) throws -> WrkReport {
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("erm-\(UUID()).lua")
        defer { try? FileManager.default.removeItem(at: script) }
        let lines = """
            wrk.method = "POST"
            wrk.body = [==[\(String(decoding: json, as: UTF8.self))]==]
            wrk.headers["Content-Type"] = "application/json"
            """
        try lines.write(to: script, atomically: true, encoding: .utf8)
        let wrk = Wrk(url: url, token: token, script: script)
        // The first answer waits until the node has the tenant's history, and wrk has nothing to report before.
        for _ in 0..<mostWarmUps where (try? wrk.run(connections: connections, seconds: 1)) != nil { break }
        Thread.sleep(forTimeInterval: leftover)
        let report = try wrk.run(connections: connections, seconds: max(1, Int(seconds)))
        Thread.sleep(forTimeInterval: leftover)
        guard report.failed == 0 else { throw CommandFailure("\(url) refused \(report.failed) requests.") }
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

    func show(_ prefix: String) {
        print("\(prefix)_per_s=\(rate.fixed(0))")
        print("\(prefix)_p50_ms=\(median.fixed(2))")
        print("\(prefix)_p99_ms=\(p99.fixed(2))")
    }

    private static func milliseconds(_ text: Substring) -> Double? {
        for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * factor }
        }
        return nil
    }
}
