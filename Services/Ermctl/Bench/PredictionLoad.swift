import Contracts
import Foundation
import HTTPClient
import Logging

/// Sends requests over a number of connections, on each the next request as soon as the last is answered.
struct PredictionLoad {
    let requests: [HTTPClientRequest]

    init(_ requests: [HTTPClientRequest]) { self.requests = requests }

    /// One request, again and again.
    init(_ method: String, url: String, token: String? = nil, type: String = "application/json", body: [UInt8]? = nil) {
        var headers = [("Content-Type", type)]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        self.init([
            HTTPClientRequest(
                method: method, url: url, headers: headers, body: body.map { .bytes($0) } ?? .none,
                deadline: .seconds(600))
        ])
    }

    /// One question.
    init(url: String, token: String, question: PredictionRequest) throws {
        self.init("POST", url: "\(url)/api/v1/predictions", token: token, body: try WireJSON.encode(question))
    }

    struct Figures {
        let perSecond: Double
        /// Milliseconds.
        let median: Double
        let p99: Double
        let answers: Int
        /// Answered 503 or 429.
        let refused: Int

        /// - Parameter times: milliseconds of each answer.
        /// - Throws: `CommandFailure` when there is none.
        init(times: [Double], refused: Int, seconds: Double) throws {
            let sorted = times.sorted()
            guard !sorted.isEmpty else { throw CommandFailure("Nothing was answered in time.") }
            perSecond = Double(sorted.count) / seconds
            median = sorted[sorted.count / 2]
            p99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
            answers = sorted.count
            self.refused = refused
        }

        func show(_ prefix: String) {
            print("\(prefix)_per_s=\(perSecond.fixed(0))")
            print("\(prefix)_p50_ms=\(median.fixed(2))")
            print("\(prefix)_p99_ms=\(p99.fixed(2))")
            if refused > 0 { print("\(prefix)_refused=\(refused)") }
        }
    }

    /// As long as `seconds`, after a warm-up of at most a second.
    func measure(connections: Int, seconds: Double) async throws -> Figures {
        _ = try await run(connections: connections, seconds: min(1, seconds))
        return try await run(connections: connections, seconds: seconds)
    }

    func run(connections: Int, seconds: Double) async throws -> Figures {
        try await run(connections: connections) { start in start + .seconds(seconds) <= .now }
    }

    /// - Parameter isOver: asked before each request, with the moment of the beginning.
    func run(
        connections: Int, until isOver: @escaping @Sendable (ContinuousClock.Instant) -> Bool
    ) async throws -> Figures {
        try await Self.withHTTP { http in
            let start = ContinuousClock.now
            let outcome = try await withThrowingTaskGroup(of: (times: [Double], refused: Int).self) { group in
                for number in 0..<connections {
                    group.addTask { try await ask(http, from: number) { isOver(start) } }
                }
                return try await group.reduce(into: ([Double](), 0)) { all, one in
                    all.0 += one.times
                    all.1 += one.refused
                }
            }
            return try Figures(
                times: outcome.0, refused: outcome.1, seconds: (ContinuousClock.now - start) / .seconds(1))
        }
    }

    /// The body of one answer.
    /// - Throws: `CommandFailure` where it is no success.
    func once() async throws -> [UInt8] {
        try await Self.withHTTP { http in
            let response = try await http.execute(requests[0])
            let answer = try await response.collect(upTo: 256 << 20)
            guard response.status == 200 else { throw Self.failure(response.status, answer) }
            return answer
        }
    }

    private static func failure(_ status: Int, _ answer: [UInt8]) -> CommandFailure {
        CommandFailure(
            "A request was answered \(status): \(String(decoding: answer.prefix(1_000), as: UTF8.self))")
    }

    private static func withHTTP<Value>(_ body: (HTTPClient) async throws -> Value) async throws -> Value {
        var configuration = HTTPClientConfiguration()
        configuration.userAgent = "ermctl"
        let http = HTTPClient(
            configuration: configuration, logger: Logger(label: "ermctl", factory: { _ in SwiftLogNoOpLogHandler() }))
        do {
            let value = try await body(http)
            await http.shutdown()
            return value
        } catch {
            await http.shutdown()
            throw error
        }
    }

    private func ask(
        _ http: HTTPClient, from place: Int, until isOver: @Sendable () -> Bool
    ) async throws -> (times: [Double], refused: Int) {
        var (times, refused): ([Double], Int) = ([], 0)
        var next = place
        while !isOver() {
            let request = requests[next % requests.count]
            next += 1
            let asked = ContinuousClock.now
            let response = try await http.execute(request)
            let answer = try await response.collect(upTo: 64 << 20)
            switch response.status {
            case 200: times.append((ContinuousClock.now - asked) / .milliseconds(1))
            case 429, 503: refused += 1
            default: throw Self.failure(response.status, answer)
            }
        }
        return (times, refused)
    }
}
