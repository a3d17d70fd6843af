import Contracts
import Foundation
import TestSupport
import Testing

@testable import TenantAdmin

/// The real history beside the repository, or where `ERM_SIP_DATA` says.
let realHistory: URL? = {
    let configured = ProcessInfo.processInfo.environment["ERM_SIP_DATA"].map { URL(fileURLWithPath: $0) }
    let beside = ServiceDatabases.repository.deletingLastPathComponent().appendingPathComponent("shared/data/sip")
    return [configured, beside].compactMap { $0 }.first {
        FileManager.default.fileExists(atPath: $0.appendingPathComponent("allocations.csv").path)
    }
}()

@Suite("Real history")
struct RealHistoryTests {
    @Test(
        "ten years of tasks are imported whole, again without a change, and come back in the feed",
        .enabled(if: realHistory != nil))
    func sip() async throws {
        let folder = try #require(realHistory)
        try await TestService.run { service in
            let tenant = try await service.createTenant("sip")
            var counts: [ImportKind: Int] = [:]
            for pass in 1...2 {
                for kind in ImportKind.allCases {
                    guard
                        let text = try? String(
                            contentsOf: folder.appendingPathComponent(kind.fileName), encoding: .utf8)
                    else { continue }
                    let reply = try await service.importCSV(kind, text, into: tenant.id)
                    #expect(reply.status == 201, "\(reply.text.prefix(500))")
                    let report: ImportReport = try reply.data()
                    if pass == 1 {
                        counts[kind] = report.inserted
                        #expect(report.inserted == report.rowsRead)
                    } else {
                        #expect(report.unchanged == report.rowsRead)
                    }
                }
            }
            #expect(counts[.allocations] == 7178)
            #expect(counts[.employees] == 20)
            #expect(counts[.projects] == 18)
            #expect(counts[.employeeSkills] == 202)
            let lines = try await service.history(tenant.id)
            #expect(lines.compactMap(\.allocation).count == 7178)
            #expect(lines.compactMap(\.employee).flatMap(\.skills).count == 202)
            // The default calendar is a line too.
            #expect(lines.last?.endLine?.lines == 7178 + 20 + 18 + 1)
        }
    }
}
