import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Imports under way")
struct ImportResourceTests {
    @Test("a client that goes away in the middle leaves nothing")
    func brokenUpload() async throws {
        struct Gone: Error {}
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let imports = Imports(database: TenantDatabase(pool: service.pool), slots: ImportSlots(capacity: 1))
            let (body, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            continuation.yield(ByteBuffer(string: "name\nSwift\nSQL\n"))
            continuation.finish(throwing: Gone())

            await #expect(throws: Gone.self) {
                _ = try await imports.run(
                    .init(kind: .skills, format: .csv, policy: .skip), body: body, in: tenant.id,
                    by: Author(name: "t", requestID: "r"))
            }
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
            // The slot is free again.
            let report: ImportReport = try await service.importCSV(.skills, "name\nSwift\n", into: tenant.id).data()
            #expect(report.inserted == 1)
        }
    }

    @Test("no more imports run at once than there are slots for")
    func slots() async throws {
        let slots = ImportSlots(capacity: 1)
        let refused = try await slots.withSlot {
            await #expect(throws: ProblemError.self) { try await slots.withSlot { 0 } }
        }
        let afterwards = try await slots.withSlot { 1 }

        #expect(refused?.status.code == 503)
        #expect(afterwards == 1)
    }
}
