import Contracts
import Foundation
import HTTPTypes
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import ServiceStorage
@testable import TenantAdmin

@Suite("Change feed")
struct ChangeFeedTests {
    /// A reader of the feed who has heard of everything so far.
    private final class Reader: Sendable {
        let service: TestService
        let position: Mutex<String>

        init(_ service: TestService) async throws {
            self.service = service
            position = Mutex(try await service.changes(after: nil).position)
        }

        /// What is told of what `body` does.
        func told(_ body: () async throws -> Void) async throws -> Set<Contracts.Change> {
            try await body()
            let news = try await service.changes(after: position.withLock { $0 })
            #expect(news.isContinuous && news.isWhole)
            position.withLock { $0 = news.position }
            return Set(news.changes)
        }
    }

    @Test("every change of tenants, users, roles and histories reaches the change feed, by any writer")
    func kinds() async throws {
        try await TestService.run { service in
            let reader = try await Reader(service)
            var made: Tenant?
            let creation = try await reader.told { made = try await service.createTenant("acme") }
            let tenant = try #require(made).id
            #expect(creation.contains(Contracts.Change(.tenant, of: tenant, subject: "acme")))
            let token = try service.token(tenant)

            var user: User?
            let hiring = try await reader.told {
                user = try await service.send(
                    .post, "/api/v1/users", as: token,
                    json: CreateUserRequest(email: "eva@acme.example", name: "Eva", roles: ["viewer"])
                ).data()
            }
            let id = try #require(user).id
            let change = Contracts.Change(.user, of: tenant, subject: id.description)
            #expect(hiring == [change])
            for request in [
                UpdateUserRequest(roles: ["user"]), .init(isActive: false), .init(password: "another one 1"),
            ] {
                let told = try await reader.told {
                    let reply = try await service.send(.patch, "/api/v1/users/\(id)", as: token, json: request)
                    #expect(reply.status == 200)
                }
                #expect(told == [change])
            }
            let role = try await reader.told {
                _ = try await service.send(
                    .post, "/api/v1/roles", as: token,
                    json: CreateRoleRequest(name: "r", permissions: [Permission(resource: "self", actions: ["read"])]))
            }
            #expect(role == [Contracts.Change(.roles, of: tenant)])
            let firing = try await reader.told {
                let reply = try await service.send(.delete, "/api/v1/users/\(id)", as: token)
                #expect(reply.status == 204)
            }
            #expect(firing == [change])
            // By hand, past all of our code.
            #expect(
                try await reader.told { try await service.asSuperuser("acme", "UPDATE users SET permissions = '[]'") }
                    .isEmpty)
            #expect(
                try await reader.told { try await service.asSuperuser("acme", "UPDATE users SET name = name || '!'") }
                    .map(\.kind) == [.user])

            for _ in 1...2 {
                let imported = try await reader.told {
                    _ = try await service.importCSV(.employees, ImportTests.people, into: tenant)
                }
                // The second time nothing changes.
                #expect(imported.subtracting([Contracts.Change(.history, of: tenant)]).isEmpty)
            }
            #expect(
                try await reader.told {
                    try await service.asSuperuser(
                        "acme", "INSERT INTO tenant_settings VALUES ('x', '1') ON CONFLICT DO NOTHING")
                } == [Contracts.Change(.history, of: tenant)])
            let operatorToken = try service.operatorToken
            for action in ["suspend", "resume"] {
                let told = try await reader.told {
                    _ = try await service.send(.post, "/api/v1/tenants/\(tenant)/\(action)", as: operatorToken)
                }
                #expect(told == [Contracts.Change(.tenant, of: tenant, subject: "acme")])
            }
        }
    }

    @Test("a long transaction delays no other changes, and its own appear when it has committed")
    func openTransaction() async throws {
        try await TestService.run { service in
            let (slow, quick) = (try await service.createTenant("slow"), try await service.createTenant("quick"))
            let reader = try await Reader(service)
            let database = TenantDatabase(pool: service.pool)
            let late = try await reader.told {
                try await database.withTenant(slow.id) { connection in
                    try await connection.execute("UPDATE users SET name = 'Slow'")
                    let told = try await reader.told {
                        try await database.withTenant(quick.id) { connection in
                            _ = try await connection.execute("UPDATE users SET name = 'Quick'")
                        }
                    }
                    #expect(told.map(\.tenantId) == [quick.id])
                }
            }
            #expect(late.map(\.tenantId) == [slow.id])
        }
    }

    @Test(
        "a position of another history, or of long ago, is answered with where the changes are now, and that some may be missed"
    )
    func otherHistory() async throws {
        try await TestService.run { service in
            let first = try await service.changes(after: nil).position
            let tenant = try await service.createTenant("acme")
            let news = try await service.changes(after: first)
            #expect(news.isContinuous)
            let now = news.position
            let number = try #require(now.split(separator: ".").first)
            let token = UUID().uuidString.lowercased()
            for other in ["\(number).\(token)", "1.\(token)", "\(Int(number)! + 1).\(now.split(separator: ".")[1])"] {
                let answer = try await service.changes(after: other)
                #expect(!answer.isContinuous && answer.changes.isEmpty && answer.position == now)
            }

            // A backup is restored: the history goes another way from a number on which had been given already.
            try await service.pool.withConnection { connection in
                _ = try await connection.execute("DELETE FROM tenant_admin.changes WHERE number > 0")
                _ = try await connection.execute("UPDATE tenant_admin.change_head SET number = 0, token = \(UUID())")
                _ = try await connection.execute(
                    """
                    INSERT INTO tenant_admin.changes (kind, tenant_id) SELECT 'user', \(tenant.id)
                    FROM generate_series(1, 100)
                    """)
            }
            #expect(try await service.changes(after: now).isContinuous == false)

            // What was told long ago is removed, and whoever knows nothing later has missed it.
            let before = try await service.changes(after: nil).position
            _ = try await service.createTenant("other")
            let after = try await service.changes(after: before)
            #expect(after.isContinuous)
            try await service.pool.withConnection { connection in
                _ = try await connection.execute(
                    "UPDATE tenant_admin.changes SET told_at = told_at - interval '2 hours' WHERE number IS NOT NULL")
            }
            try await service.changes.sweep()
            #expect(try await service.changes(after: before).isContinuous == false)
            #expect(try await service.changes(after: after.position).isContinuous)
        }
    }

    @Test("more changes than fit one answer come in several, and only the last is whole")
    func several() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            var position = try await service.changes(after: nil).position
            try await service.pool.withConnection { connection in
                _ = try await connection.execute(
                    """
                    INSERT INTO tenant_admin.changes (kind, tenant_id, subject)
                    SELECT 'user', \(tenant.id), number::text FROM generate_series(1, 2500) number
                    """)
            }
            var told: [String] = []
            var wholes: [Bool] = []
            for _ in 1...3 {
                let news = try await service.changes(after: position, kinds: "user")
                told += news.changes.compactMap(\.subject)
                wholes.append(news.isWhole)
                position = news.position
            }
            #expect(told == (1...2500).map { "\($0)" })
            #expect(wholes == [false, false, true])
        }
    }

    @Test("a waiting request is woken by a change of its kinds only", .timeLimit(.minutes(5)))
    func woken() async throws {
        // Without a wake the answer would come after an hour.
        try await TestService.run(heartbeat: .seconds(3600)) { service in
            let tenant = try await service.createTenant("acme")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await service.changes.run() }
                var position = try await service.changes(after: nil).position
                for number in 1...5 {
                    let after = position
                    async let told = service.changes(after: after, kinds: "user")
                    try await service.asSuperuser("acme", "INSERT INTO tenant_settings VALUES ('k\(number)', '1')")
                    try await service.asSuperuser("acme", "UPDATE users SET name = name || '!'")
                    let news = try await told
                    #expect(
                        news.changes == [Contracts.Change(.user, of: tenant.id, subject: news.changes.first?.subject)])
                    position = news.position
                }
                group.cancelAll()
            }
        }
    }

    @Test("while a tenant's schema is older than the change feed, the feed refuses to answer")
    func behind() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let (path, token) = ("/internal/v1/changes", try service.token(of: .gateway))
            for (version, status) in [(44, 503), (45, 200)] {
                try await service.pool.withConnection { connection in
                    _ = try await connection.execute(
                        "UPDATE tenant_admin.tenants SET schema_version = \(version) WHERE id = \(tenant.id)")
                }
                #expect(try await service.send(.get, path, as: token).status == status)
            }
        }
    }

    @Test("only services with caches may read the change feed, and only for themselves")
    func callers() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let path = "/internal/v1/changes"
            #expect(try await service.send(.get, path, as: nil).status == 401)
            #expect(
                [401, 403].contains(try await service.send(.get, path, as: try service.token(of: .mlTraining)).status))
            #expect(try await service.send(.get, path, as: try service.token(tenant.id)).status == 403)
            #expect(try await service.send(.get, path, as: try service.operatorToken).status == 403)
            #expect(try await service.send(.get, path, as: try service.token(of: .mlPrediction)).status == 200)
            let wrong = try await service.send(.get, path + "?after=now", as: try service.token(of: .gateway))
            #expect(wrong.status == 422)
        }
    }
}

extension TestService {
    fileprivate func changes(after position: String?, kinds: String? = nil) async throws -> ChangeNews {
        let query = [position.map { "after=\($0)" }, kinds.map { "kinds=\($0)" }].compactMap { $0 }
        let path = "/internal/v1/changes" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        return try await send(.get, path, as: try token(of: .gateway)).data()
    }
}
