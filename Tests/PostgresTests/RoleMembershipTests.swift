import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Roles that are granted while others are in use", .timeLimit(.minutes(10)))
struct RoleMembershipTests {
    /// So many memberships that a backend takes milliseconds to read them: meanwhile more are granted.
    private static let memberships = 1_000
    private static let grants = 150

    @Test("a role can be entered as soon as it is granted, however many are granted at the same time")
    func enteredOnceGranted() async throws {
        let mark = UUID().uuidString.lowercased().replacing("-", with: "").prefix(12)
        let user = "erm_member_\(mark)"
        try await PostgresCluster.withDatabase("members") { url in
            try await PostgresCluster.withPool(on: url) { administrators in
                try await administrators.withConnection { connection in
                    try await connection.execute("CREATE ROLE \(identifier: user) LOGIN NOINHERIT PASSWORD 'x'")
                    try await connection.execute(Self.grant(Self.memberships, named: "erm_first_\(mark)_", to: user))
                }
                let refused = try await PostgresCluster.withPool(
                    on: try PostgresCluster.url(url, user: user, password: "x")
                ) { members in
                    try await Self.race(mark: mark, user: user, administrators, members)
                }
                #expect(refused == [])
                _ = try await administrators.withConnection { try await $0.execute(Self.dropAll(mark)) }
            }
        }
    }

    /// Grants roles one after the other and enters each newest one meanwhile.
    /// - Returns: why one could not be entered.
    private static func race(
        mark: Substring, user: String, _ administrators: PostgresPool, _ members: PostgresPool
    ) async throws -> [String] {
        let newest = Mutex("erm_first_\(mark)_1")
        let granting = Task {
            // However it ends: those that enter the newest role meanwhile wait for this.
            defer { newest.withLock { $0 = "" } }
            for number in 1...grants {
                let role = "erm_later_\(mark)_\(number)"
                try await administrators.withTransaction { connection in
                    try await connection.execute("CREATE ROLE \(identifier: role) NOLOGIN")
                    try await connection.execute("GRANT \(identifier: role) TO \(identifier: user)")
                }
                newest.withLock { $0 = role }
                try await Task.sleep(for: .milliseconds(3))
            }
        }
        var refused: [String] = []
        while true {
            let role = newest.withLock { $0 }
            guard !role.isEmpty else { break }
            do {
                try await members.withTransaction { try await $0.setLocal(role: role) }
            } catch {
                refused.append("\(error)")
            }
        }
        try await granting.value
        return refused
    }

    private static func grant(_ count: Int, named prefix: String, to user: String) -> SQL {
        SQL(
            stringLiteral: """
                DO $$ BEGIN FOR number IN 1..\(count) LOOP
                    EXECUTE format('CREATE ROLE %I NOLOGIN', '\(prefix)' || number);
                    EXECUTE format('GRANT %I TO %I', '\(prefix)' || number, '\(user)');
                END LOOP; END $$
                """)
    }

    private static func dropAll(_ mark: Substring) -> SQL {
        SQL(
            stringLiteral: """
                DO $$ DECLARE role name; BEGIN
                    FOR role IN SELECT rolname FROM pg_roles WHERE rolname ~ '^erm_(first|later|member)_\(mark)' LOOP
                        EXECUTE format('DROP ROLE %I', role);
                    END LOOP; END $$
                """)
    }
}
