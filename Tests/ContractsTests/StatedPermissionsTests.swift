import Contracts
import Foundation
import TestSupport
import Testing

/// What the console and the documents state of permissions, which cannot be derived from the types.
@Suite("Permissions stated elsewhere")
struct StatedPermissionsTests {
    private func text(_ path: String) throws -> String {
        try String(contentsOf: ServiceDatabases.repository.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("the console offers every resource and action that a role may speak of, each once")
    func console() throws {
        let script = try text("Services/Console/lib/permissions.js")
        func list(_ name: String) throws -> [String] {
            let line = try #require(script.split(separator: "\n").first { $0.hasPrefix("export const \(name) = [") })
            return line.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
        }
        #expect(try list("RESOURCES").sorted() == Resource.insideTenant.map(\.rawValue).sorted())
        #expect(try list("ACTIONS") == Action.allCases.map(\.rawValue))
    }

    @Test("docs/architecture.md lists what the default roles grant")
    func defaultRoles() throws {
        let lines = try text("docs/architecture.md").split(separator: "\n")
        for role in DefaultRole.allCases {
            let row = try #require(lines.first { $0.hasPrefix("| \(role.rawValue) |") })
            #expect(grants(inRow: String(row)) == grants(role.permissions), "\(role)")
        }
    }

    /// `| name | resource, resource: action, action · … |`, as sets of actions by resource.
    private func grants(inRow row: String) -> [String: Set<String>] {
        let cell = row.split(separator: "|")[1].replacingOccurrences(of: "`", with: "")
        let parts = cell.components(separatedBy: " · ").flatMap { part -> [(String, Set<String>)] in
            let sides = part.components(separatedBy: ":").map { side in
                side.components(separatedBy: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            }
            return sides[0].map { ($0, Set(sides.last ?? [])) }
        }
        return Dictionary(parts) { $0.union($1) }
    }

    private func grants(_ permissions: [Permission]) -> [String: Set<String>] {
        Dictionary(permissions.map { ($0.resource, Set($0.actions)) }) { $0.union($1) }
    }
}
