import Contracts
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Export")
struct ExportTests {
    @Test("what is exported can be imported by another tenant, which then exports the same")
    func roundTrip() async throws {
        try await TestService.run { service in
            let first = try await service.filledTenant()
            let second = try await service.createTenant("other")
            let archive = try await service.export(first)
            for kind in ImportKind.allCases {
                #expect(!archive.text("\(kind.rawValue).ndjson").isEmpty, "\(kind)")
            }
            _ = try await service.bring(archive, into: second)
            let copy = try await service.export(second)
            // Into the tenant it is of, it changes nothing.
            for (kind, report) in try await service.bring(archive, into: first) {
                #expect(report.unchanged == report.rowsRead, "\(kind): \(report.counts)")
            }

            for kind in ImportKind.allCases {
                let name = "\(kind.rawValue).ndjson"
                #expect(copy.text(name) == archive.text(name), "\(kind)")
            }
            let allocation = try await service.all("allocations", of: second.id, as: Allocation.self)[0]
            #expect(allocation.allocatedHours == 20)
            #expect(allocation.plannedHours == 12.5)
            #expect(allocation.requiredSkills == ["a;b", "c\\d"])
            #expect(allocation.labels == ["k=1": "v;w"])
            let people = try await service.all("employees", of: second.id, as: Employee.self)
            #expect(people.map(\.isActive) == [false, false, true])
        }
    }

    @Test("an empty tenant's export is imported into another one, which stays empty")
    func empty() async throws {
        try await TestService.run { service in
            let (first, second) = (try await service.createTenant("acme"), try await service.createTenant("other"))
            let archive = try await service.export(first)
            let reports = try await service.bring(archive, into: second)
            let copy = try await service.export(second)

            #expect(reports.values.allSatisfy { $0.unchanged == $0.rowsRead })
            for kind in ImportKind.allCases {
                let name = "\(kind.rawValue).ndjson"
                #expect(copy.text(name) == archive.text(name), "\(kind)")
            }
        }
    }

    @Test("a tenant's administrator may export it, a reader may not, and another tenant's export is never given")
    func ownExport() async throws {
        try await TestService.run { service in
            let tenant = try await service.filledTenant()
            let other = try await service.createTenant("other")
            let reply = try await service.send(.get, "/api/v1/export", as: service.token(tenant.id))
            let viewer = try await service.send(
                .get, "/api/v1/export", as: service.token(tenant.id, DefaultRole.viewer.permissions))
            let foreign = try await service.send(.get, "/api/v1/export", as: service.token(other.id))

            #expect(try ZipArchive(reply.bytes).text("projects.ndjson").contains("Bridge"))
            #expect(viewer.status == 403)
            #expect(try !ZipArchive(foreign.bytes).text("projects.ndjson").contains("Bridge"))
        }
    }

    @Test("an export has everything but secrets, for a deleted tenant too, and is on record")
    func everything() async throws {
        try await TestService.run { service in
            let tenant = try await service.filledTenant()
            _ = try await service.send(.delete, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken)
            let archive = try await service.export(tenant)
            let missing = try await service.send(
                .get, "/api/v1/tenants/\(TenantID())/export", as: service.operatorToken)

            #expect(
                archive.names == ["tenant.json"] + ImportKind.allCases.map { "\($0.rawValue).ndjson" } + [
                    "ids.ndjson", "roles.ndjson", "users.ndjson", "settings.ndjson", "imports.ndjson",
                    "archived_audit_logs.ndjson", "audit_logs.ndjson", "prediction_features.ndjson",
                    "predictions.ndjson", "shadow_answers.ndjson", "datasets.ndjson", "dataset_content.ndjson",
                    "dataset_outcomes.ndjson", "training_jobs.ndjson", "backtests.ndjson", "models.ndjson",
                    "model_artifacts.ndjson", "deployments.ndjson", "shadows.ndjson", "training_schedules.ndjson",
                    "manifest.json",
                ])
            #expect(archive.text("users.ndjson").contains("admin@acme.example"))
            #expect(!archive.names.contains { archive.text($0).contains("scrypt") })
            #expect(archive.text("audit_logs.ndjson").contains(#""action":"export""#))
            #expect(missing.status == 404)
        }
    }

    @Test("an archive's files of any length come out as they went in")
    func zip() throws {
        var zip = ZipStream(year: 2026, month: 1, day: 31, hour: 23, minute: 59, second: 58)
        var out: [UInt8] = []
        let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        zip.begin("empty", into: &out)
        zip.end(into: &out)
        zip.begin("ä/long", into: &out)
        zip.append(long.prefix(70_000), into: &out)
        zip.append(long.dropFirst(70_000), into: &out)
        zip.end(into: &out)
        zip.finish(into: &out)
        let archive = try ZipArchive(out)

        #expect(archive.names == ["empty", "ä/long"])
        #expect(archive.files["empty"] == [])
        #expect(archive.files["ä/long"] == long)
        #expect(throws: ZipArchive.Broken.self) { try ZipArchive(out.dropLast()) }
        // The check value of the algorithm's catalogue.
        var sum = CRC32()
        sum.update(Array("123456789".utf8))
        #expect(sum.value == 0xCBF4_3926)
    }
}
