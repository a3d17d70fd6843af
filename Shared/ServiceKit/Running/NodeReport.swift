import Basics
public import Contracts
import Foundation
public import ServiceLifecycle

/// Long-lived work that can tell how much of it waits.
public protocol BacklogReporting: Sendable {
    var backlogName: String { get }
    func backlog() async throws -> Backlog
}

/// A node's report to the platform's operator: its readiness, its change feeds and its backlogs.
public struct NodeReport: Sendable {
    private let readiness: [ReadinessCheck]
    private let services: [any Service]
    private let startedAt = Date()

    /// - Parameter services: those of them that hear changes or have work waiting are told of.
    public init(readiness: [ReadinessCheck] = [], services: [any Service] = []) {
        self.readiness = readiness
        self.services = services.map { ($0 as? DelayedService)?.service ?? $0 }
    }

    public func health() async -> NodeHealth {
        async let dependencies = readiness.health()
        async let backlogs = self.backlogs()
        return NodeHealth(
            startedAt: startedAt, programWrittenAt: Self.programWrittenAt, dependencies: await dependencies,
            feeds: services.compactMap { ($0 as? ChangeFollower)?.health }, backlogs: await backlogs)
    }

    /// A backlog that cannot be counted in time is reported without a count.
    private func backlogs() async -> [Backlog] {
        var told: [Backlog] = []
        for case let work as any BacklogReporting in services {
            let counted = await withTimeLimit(Readiness.patience) { try? await work.backlog() }
            told.append((counted ?? nil) ?? Backlog(name: work.backlogName, count: nil))
        }
        return told
    }

    private static let programWrittenAt: Date? = {
        let link = "/proc/self/exe"
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else { return nil }
        return (try? FileManager.default.attributesOfItem(atPath: program))?[.modificationDate] as? Date
    }()
}

/// What a node says of itself, for the gateway, which tells the platform operator.
struct NodeHealthController: Controller {
    let report: NodeReport

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "/internal/v1/health", "getNodeHealth", .services(.gateway), use: health)
    }

    private func health(_ call: ServiceCall) async throws -> OK<NodeHealth> {
        _ = try call.service()
        return OK(await report.health(), headers: .notStored)
    }
}
