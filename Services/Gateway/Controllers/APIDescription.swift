import Basics
import Contracts
import Logging
import NIOCore
import ServiceKit
import Synchronization

/// Puts the API's description together from the parts that the services make of their own declarations.
///
/// A service that is down is described by its last answer; one that has not answered since this node's start is left out and
/// named in the document.
final class APIDescription: Sendable {
    struct Document: Sendable {
        /// Shared by all answers.
        let bytes: ByteBuffer
        let missing: [ServiceName]
    }

    private let services: [ServiceClient]
    /// `GET /api/v1/employees`: what the route table leads to.
    private let reachable: Set<String>
    private let logger: Logger
    private let documents = FreshCache<ServiceName, Document>(maximumAge: .seconds(10))
    private let known = Mutex<[ServiceName: JSONValue]>([:])

    init(services: [ServiceClient], routes: [Route], logger: Logger) {
        self.services = services.map { client in
            var client = client
            client.deadline = .seconds(3)
            client.retries = 0
            return client
        }
        reachable = Set(routes.flatMap { route in route.methods.keys.map { "\($0) \(route.template)" } })
        self.logger = logger
    }

    func document() async throws -> Document {
        try await documents.value(for: .gateway) { [self] in try await merge() }
    }

    private func merge() async throws -> Document {
        await withTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { [self] in await ask(service) } }
        }
        let known = known.withLock { $0 }
        var parts = [(service: ServiceName.gateway, part: try OpenAPIDocument.part(GatewayApplication.declared))]
        for service in services.map(\.service) {
            if let part = known[service] { parts.append((service, part)) }
        }
        let missing = services.map(\.service).filter { known[$0] == nil }
        let document = OpenAPIDocument.merged(parts, reachable: reachable, missing: missing)
        return Document(bytes: ByteBuffer(bytes: try WireJSON.encode(document)), missing: missing)
    }

    private func ask(_ service: ServiceClient) async {
        do {
            let part: JSONValue = try await service.get(OpenAPIDocument.partPath, trace: TraceContext())
            known.withLock { $0[service.service] = part }
        } catch {
            logger.warning(
                "Fetching a service's API description failed",
                metadata: [LogKey.service: "\(service.service.rawValue)", LogKey.error: "\(LogText.of(error))"])
        }
    }
}
