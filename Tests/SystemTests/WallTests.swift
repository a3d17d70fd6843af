import Contracts
import Foundation
import Testing

extension SystemTests.OnOnePlatform {
    /// What is refused: other tenants' rows, and bad input.
    @Suite struct Walls {
        @Test("two tenants with the same external ids see only their own rows")
        func tenants() async throws {
            try await Platform.withShared { platform in
                let first = try await platform.tenant("first")
                let second = try await platform.tenant("second")
                #expect(try await first.upload(.employees, "external_id,name\nE1,Ada\n").status / 100 == 2)
                #expect(try await second.upload(.employees, "external_id,name\nE1,Grace\nE2,Hedy\n").status / 100 == 2)
                let ofFirst = try await first.get("/employees").data.items
                let ofSecond = try await second.get("/employees").data.items
                #expect(ofFirst.compactMap { $0["name"]?.stringValue } == ["Ada"])
                #expect(Set(ofSecond.compactMap { $0["name"]?.stringValue }) == ["Grace", "Hedy"])
                let foreign = try #require(ofSecond.first?["id"]?.stringValue)
                #expect(try await first.get("/employees/\(foreign)").status == 404)

                // A token of one tenant with the header of another is refused, not obeyed.
                let tenant = try #require(try await second.get("/auth/me").data["tenant"]?["id"]?.stringValue)
                let mixed = try await Client(platform: platform, bearer: first.bearer, tenant: tenant).get("/employees")
                #expect(mixed.status == 403)
            }
        }

        @Test("a tenant's administrator, though allowed everything in it, is not the platform's operator")
        func escalation() async throws {
            try await Platform.withShared { platform in
                let client = try await platform.tenant("escalation")
                #expect(try await client.get("/tenants").status == 403)
                #expect(try await platform.anonymous.get("/tenants").status == 401)
                #expect(try await platform.anonymous.get("/employees").status / 100 == 4)
            }
        }

        @Test("bad input gets its status and field, and leaves nothing half-done")
        func badInput() async throws {
            try await Platform.withShared { platform in
                let client = try await platform.tenant("badinput")
                #expect(try await client.upload(.employees, SmallHistory().employees).status / 100 == 2)
                #expect(try await client.upload(.projects, SmallHistory().projectRows).status / 100 == 2)

                let malformed = try await client.post("/training/jobs", #"{"months": "#)
                #expect(malformed.status == 400 && malformed.code == "malformed_request")
                let unknown = try await client.post("/training/jobs", #"{"month": 6}"#)
                #expect(unknown.status == 422 && unknown.fields == ["month"])
                let several = try await client.post("/training/jobs", #"{"months": 0, "epochs": 5, "modelType": "x"}"#)
                #expect(several.status == 422 && Set(several.fields) == ["months", "epochs", "modelType"])
                let uuid = try await client.post(
                    "/predictions", #"{"employeeId": "7", "projectId": true, "plannedHours": -1}"#)
                #expect(
                    uuid.status == 422 && Set(uuid.fields) == ["employeeId", "projectId", "plannedHours"], "\(uuid)")
                #expect(try await client.get("/employees/not-a-uuid").status / 100 == 4)
                let limit = try await client.get("/employees?limit=501")
                #expect(limit.status == 422 && limit.fields == ["limit"])

                let header =
                    "external_id,employee_external_id,project_external_id,allocation_percentage,allocated_hours,start_date\n"
                for (row, column) in [
                    ("A2,E1,J1,50,-3,2024-01-01", "allocated_hours"),
                    ("A2,E1,J1,101,3,2024-01-01", "allocation_percentage"),
                    ("A2,E1,J1,50,3,2024-02-30", "start_date"), ("A2,E9999,J1,50,3,2024-01-01", "employee_external_id"),
                ] {
                    let answer = try await client.upload(.allocations, header + "A1,E1,J1,50,8,2024-01-01\n\(row)\n")
                    #expect(answer.status == 422 && answer.code == "import_failed", "\(answer)")
                    #expect(
                        answer.fields.contains { $0.contains("line 3") && $0.contains(column) },
                        "\(column): \(answer.fields)")
                }
                let broken = try await client.upload(.allocations, header + "A1,E1,J1,50,8,2024-01-01\nA2,\"E1,J1\n")
                #expect(broken.status == 422 || broken.status == 400, "\(broken)")
                #expect(try await client.get("/allocations").data.items.isEmpty)

                let skipped = try await client.upload(
                    .allocations, header + "A1,E1,J1,50,8,2024-01-01\nA2,E1,J1,50,-3,2024-01-01\n", onError: "skip")
                #expect(skipped.status / 100 == 2, "\(skipped)")
                #expect(try await client.get("/allocations").data.items.count == 1)
            }
        }
    }
}
