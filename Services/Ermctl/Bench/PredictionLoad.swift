import Contracts
import Foundation
import HTTPClient
import Logging
import Synchronization

/// Asks one question over so many connections at once, each asking again as soon as it is answered.
struct PredictionLoad {
    let url: String
    let token: String
    let question: PredictionRequest

    struct Figures {
        let perSecond: Double
        /// Milliseconds.
        let median: Double
        let p99: Double
        /// Answered 503 or 429.
        let refused: Int
    }

    func run(connections: Int, seconds: Double) async throws -> Figures {
        var configuration = HTTPClientConfiguration()
        configuration.userAgent = "ermctl"
        let http = HTTPClient(
            configuration: configuration, logger: Logger(label: "ermctl", factory: { _ in SwiftLogNoOpLogHandler() }))
        let body = try WireJSON.encode(question)
        let request = HTTPClientRequest(
            method: "POST", url: "\(url)/api/v1/predictions",
            headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")], body: .bytes(body),
            deadline: .seconds(60))
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let outcome: (times: [Double], refused: Int)
        do {
            outcome = try await withThrowingTaskGroup(of: (times: [Double], refused: Int).self) { group in
                for _ in 0..<connections {
                    group.addTask {
                        var (times, refused): ([Double], Int) = ([], 0)
                        while .now < end {
                            let asked = ContinuousClock.now
                            let response = try await http.execute(request)
                            let answer = try await response.collect(upTo: 1 << 20)
                            switch response.status {
                            case 200: times.append((ContinuousClock.now - asked) / .milliseconds(1))
                            case 429, 503: refused += 1
                            default:
                                throw CommandFailure(
                                    "A prediction was answered \(response.status): "
                                        + String(decoding: answer, as: UTF8.self))
                            }
                        }
                        return (times, refused)
                    }
                }
                var all: (times: [Double], refused: Int) = ([], 0)
                for try await one in group {
                    all.times += one.times
                    all.refused += one.refused
                }
                return all
            }
        } catch {
            await http.shutdown()
            throw error
        }
        await http.shutdown()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let sorted = outcome.times.sorted()
        guard !sorted.isEmpty else { throw CommandFailure("No prediction was answered in time.") }
        return Figures(
            perSecond: Double(sorted.count) / seconds, median: sorted[sorted.count / 2],
            p99: sorted[min(sorted.count - 1, sorted.count * 99 / 100)], refused: outcome.refused)
    }
}
