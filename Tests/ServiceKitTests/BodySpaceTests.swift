import Contracts
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import ServiceIdentity
import Synchronization
import Testing

@testable import ServiceKit

@Suite("The bytes of request bodies that a node holds", .timeLimit(.minutes(3)))
struct BodySpaceTests {
    private final class Flag: Sendable {
        let value = Mutex(false)
    }

    /// Until the test's time limit.
    private func until(_ isSo: () -> Bool) async throws {
        while !isSo() { try await Task.sleep(for: .milliseconds(1)) }
    }

    /// - Parameter body: is given how to send a body of so many bytes for a tenant; each is held until it is let go.
    private func withService(
        capacity: Int,
        _ body:
            @escaping @Sendable (
                BodySpace, _ letGo: @escaping @Sendable () -> Void,
                _ send: @escaping @Sendable (Int, TenantID) async throws -> HTTPResponse.Status
            ) async throws -> Void
    ) async throws {
        let (space, isLetGo) = (BodySpace(capacity: capacity), Flag())
        let router = Router(context: ServiceRequestContext.self)
        router.post("/bodies/{tenant}") { request, context in
            var context = context
            let tenant = try context.identifier("tenant", as: TenantID.self)
            context.caller = Caller(issuer: .gateway, tenant: tenant, subject: nil)
            let bytes = try await request.bodyBytes(upTo: 1000, in: context)
            try await until { isLetGo.value.withLock { $0 } }
            return "\(bytes.count)"
        }
        let application = ServiceApplication(router: router).testable(bodySpace: space)
        try await application.test(.router) { client in
            try await body(space, { isLetGo.value.withLock { $0 = true } }) { count, tenant in
                try await client.executeRequest(
                    uri: "/bodies/\(tenant)", method: .post, headers: [:],
                    body: ByteBuffer(repeating: UInt8(ascii: "x"), count: count)
                ).status
            }
        }
    }

    @Test("are bounded over all requests, one tenant has half of them, and they are free again with the answers")
    func bounded() async throws {
        try await withService(capacity: 100) { space, letGo, send in
            let (one, other, third) = (TenantID(), TenantID(), TenantID())
            async let first = send(50, one)
            try await until { space.total == 50 }
            #expect(try await send(1, one) == .tooManyRequests)
            async let second = send(50, other)
            try await until { space.total == 100 }
            #expect(try await send(1, third) == .serviceUnavailable)

            letGo()
            let statuses = try await [first, second]
            #expect(statuses == [.ok, .ok])
            try await until { space.total == 0 }
            #expect(try await send(50, one) == .ok)
        }
    }

    @Test("are not counted of a request that is over, as after its client hung up: nobody would give them back")
    func over() async throws {
        let space = BodySpace(capacity: 100)
        let router = Router(context: ServiceRequestContext.self)
        router.post("/bodies") { request, context in
            _ = context.record.finish(isCut: true)
            return "\(try await request.bodyBytes(upTo: 1000, in: context).count)"
        }
        let application = ServiceApplication(router: router).testable(bodySpace: space)
        try await application.test(.router) { client in
            let answer = try await client.executeRequest(
                uri: "/bodies", method: .post, headers: [:], body: ByteBuffer(repeating: UInt8(ascii: "x"), count: 60))
            #expect(answer.status == .ok)
            #expect(space.total == 0)
        }
    }

    @Test("do not stay counted when a body is refused")
    func refused() async throws {
        try await withService(capacity: 100) { space, letGo, send in
            letGo()
            let tenant = TenantID()
            for _ in 1...3 { #expect(try await send(51, tenant) == .tooManyRequests) }
            #expect(try await send(1001, tenant) == .contentTooLarge)
            try await until { space.total == 0 }
            #expect(try await send(50, tenant) == .ok)
        }
    }
}
