import Contracts
import Foundation
import HTTPClient
import Logging

/// Asks one gateway node again and again for something that the user may see or not.
struct RevocationProbe: Sendable {
    let url: String
    private let http: HTTPClient

    /// Between two questions to a node.
    private static let pause = Duration.milliseconds(4)
    private static let patience = Duration.seconds(30)

    init(url: String) {
        self.url = url
        http = HTTPClient(logger: Logger(label: "ermctl", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func close() async { await http.shutdown() }

    /// Returns once the node lets the user in.
    func awaitAdmission(_ token: String) async throws {
        try await ask(token) { $0 == 200 }
    }

    /// When the node refused the user for the first time.
    func firstRefusal(_ token: String) async throws -> ContinuousClock.Instant {
        try await ask(token) { $0 == 401 || $0 == 403 }
        let time = ContinuousClock.now
        let again = try await status(token)
        guard again == 401 || again == 403 else {
            throw CommandFailure("\(url) has refused the user, and let the user in again afterwards.")
        }
        return time
    }

    private func ask(_ token: String, until isMeant: (Int) -> Bool) async throws {
        let end = ContinuousClock.now + Self.patience
        while ContinuousClock.now < end {
            let status = try await status(token)
            if isMeant(status) { return }
            guard [200, 401, 403].contains(status) else {
                throw CommandFailure("\(url) answered with status \(status).")
            }
            try await Task.sleep(for: Self.pause)
        }
        throw CommandFailure("\(url) did not follow a change within \(Self.patience).")
    }

    private func status(_ token: String) async throws -> Int {
        let request = HTTPClientRequest(
            url: url + "/api/v1/departments?limit=1", headers: [(HeaderName.authorization, "Bearer \(token)")],
            deadline: .seconds(30))
        return try await http.execute(request, collectingUpTo: 1 << 20).response.status
    }
}

/// How long revocations took, in milliseconds.
struct RevocationTimes: Sendable {
    let nodes: Int
    private var sinceAsked: [Double] = []
    private var sinceAnswered: [Double] = []
    private var lastSinceAsked: [Double] = []

    init(nodes: Int) { self.nodes = nodes }

    /// - Parameter seen: when each node refused first.
    mutating func add(
        _ seen: [ContinuousClock.Instant], start: ContinuousClock.Instant, answered: ContinuousClock.Instant
    ) {
        func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }
        sinceAsked += seen.map { milliseconds($0 - start) }
        // A node may refuse before the change is answered.
        sinceAnswered += seen.map { max(0, milliseconds($0 - answered)) }
        if let last = seen.max() { lastSinceAsked.append(milliseconds(last - start)) }
    }

    func show() {
        func show(_ name: String, _ values: [Double]) {
            let sorted = values.sorted()
            guard let largest = sorted.last else { return }
            print("\(name)_p50_ms=\(sorted[sorted.count / 2].fixed(1))")
            print("\(name)_p99_ms=\(sorted[min(sorted.count - 1, sorted.count * 99 / 100)].fixed(1))")
            print("\(name)_max_ms=\(largest.fixed(1))")
        }
        print("nodes=\(nodes)")
        print("revocations=\(lastSinceAsked.count)")
        show("since_answered", sinceAnswered)
        show("since_asked", sinceAsked)
        show("all_nodes_since_asked", lastSinceAsked)
    }
}
