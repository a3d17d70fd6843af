import Contracts
import HTTPClient
import HTTPTypes
import ServiceIdentity
import ServiceKit

/// How the platform's services are: what this node knows of the others' nodes, and what each says of itself when it is asked.
struct PlatformHealth: Sendable {
    let own: NodeReport
    let upstreams: @Sendable () -> [Upstream]
    let client: HTTPClient
    let signer: AssertionSigner
    /// How long a node may take: a little longer than each of its checks.
    var patience = Duration.seconds(4)

    func services() async -> [ServiceHealth] {
        let upstreams = upstreams()
        let others = await withTaskGroup(of: ServiceHealth.self) { group in
            for upstream in upstreams { group.addTask { await health(of: upstream) } }
            return await group.reduce(into: [ServiceName: ServiceHealth]()) { $0[$1.service] = $1 }
        }
        let gateway = ServiceHealth(
            service: .gateway, nodes: [ServiceNode(address: nil, health: await own.health())])
        return ServiceName.allCases.compactMap { $0 == .gateway ? gateway : others[$0] }
    }

    private func health(of upstream: Upstream) async -> ServiceHealth {
        let nodes = await withTaskGroup(of: (Int, ServiceNode).self) { group in
            for (index, standing) in upstream.standings.enumerated() {
                group.addTask { (index, await ask(standing, of: upstream.service)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        return ServiceHealth(service: upstream.service, nodes: nodes)
    }

    private func ask(_ standing: Balancer.Standing, of service: ServiceName) async -> ServiceNode {
        var node = ServiceClient(
            to: service, baseURLs: [standing.address], httpClient: client, signer: signer, deadline: patience)
        node.retries = 0
        do {
            let health: NodeHealth = try await node.get("/internal/v1/health", trace: TraceContext())
            return ServiceNode(standing, health: health, reason: nil)
        } catch let problem as ProblemError where problem.status == .notFound {
            return ServiceNode(standing, health: nil, reason: "The node runs an earlier release without this report.")
        } catch let problem as ProblemError {
            return ServiceNode(standing, health: nil, reason: problem.sentence)
        } catch {
            return ServiceNode(standing, health: nil, reason: "The node does not answer.")
        }
    }
}

extension ServiceNode {
    fileprivate init(_ standing: Balancer.Standing, health: NodeHealth?, reason: String?) {
        self.init(
            address: standing.address, circuit: standing.circuit, isDraining: standing.isDraining,
            requestsUnderWay: standing.underWay, failedChecks: standing.failedChecks, health: health, reason: reason)
    }
}
