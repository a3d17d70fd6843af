import Basics
import Contracts
import Crypto
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Postgres
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Message delivery")
struct MessageDeliveryTests {
    private static let secret = "a secret that both sides know"

    /// A mailer that refuses the first few messages, and what it was sent.
    private final class Mailer: Sendable {
        struct Mail: Sendable {
            let signature: String
            let body: [UInt8]
        }

        let mails = Mutex<[Mail]>([])
        private let refusals: Int

        init(refusals: Int) { self.refusals = refusals }

        func take(_ mail: Mail) -> HTTPResponse.Status {
            mails.withLock { mails in
                mails.append(mail)
                return mails.count <= refusals ? .serviceUnavailable : .noContent
            }
        }
    }

    private func withMailer(
        refusals: Int = 0, _ service: TestService,
        _ body: @Sendable (Mailer, MessageDelivery) async throws -> Void
    ) async throws {
        let mailer = Mailer(refusals: refusals)
        let router = Router(context: ServiceRequestContext.self)
        router.post("mail") { request, _ in
            var request = request
            let bytes = try await request.collectBody(upTo: 65_536)
            let signature = request.headers[HTTPField.Name("X-ERM-Signature")!] ?? ""
            return mailer.take(.init(signature: signature, body: Array(bytes.readableBytesView)))
        }
        try await ServiceApplication(router: router).testable().test(.live) { live in
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let webhook = try Webhook(
                url: "http://127.0.0.1:\(try #require(live.port))/mail", secret: Self.secret, client: client)
            let outbox = Outbox(database: TenantDatabase(pool: service.pool))
            try await body(
                mailer, MessageDelivery(outbox: outbox, webhook: webhook, logger: PostgresCluster.quietLogger))
            await client.shutdown()
        }
    }

    @Test("a message reaches the webhook once, signed, with a token that works")
    func delivered() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.send(
                .post, "/api/v1/auth/password-reset", as: service.publicToken(tenant.id),
                json: PasswordResetRequest(email: "admin@acme.example"))
            try await withMailer(service) { mailer, delivery in
                try await delivery.deliverDue()
                try await delivery.deliverDue()
                let mails = mailer.mails.withLock { $0 }
                let mail = try #require(mails.first)
                let message = try WireJSON.decode(OutgoingMessage.self, from: mail.body)
                let parts = mail.signature.split(separator: ",")
                let time = try #require(Int(parts[0].dropFirst(2)))
                let code = HMAC<SHA256>.authenticationCode(
                    for: Data("\(time).".utf8) + Data(mail.body), using: SymmetricKey(data: Data(Self.secret.utf8)))
                let confirmed = try await service.send(
                    .post, "/api/v1/auth/password-reset/confirm", as: service.publicToken(tenant.id),
                    json: ConfirmPasswordResetRequest(token: message.token, password: "another good password"))

                #expect(mails.count == 1)
                #expect(parts[1] == "v1=" + code.hex)
                #expect(abs(Date().timeIntervalSince1970 - Double(time)) < 600)
                #expect(confirmed.status == 204)
            }
        }
    }

    @Test("a message that is refused is tried again later, with another token, and no longer than it is good for")
    func retried() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.send(
                .post, "/api/v1/invitations", as: service.token(tenant.id),
                json: CreateInvitationRequest(email: "mia@acme.example", name: "Mia"))
            try await withMailer(refusals: 1, service) { mailer, delivery in
                try await delivery.deliverDue()
                try await delivery.deliverDue()
                let early = mailer.mails.withLock { $0.count }
                try await service.pool.withConnection {
                    _ = try await $0.execute("UPDATE tenant_admin.outbox SET next_attempt_at = now()")
                }
                try await delivery.deliverDue()
                let messages = try mailer.mails.withLock { mails in
                    try mails.map { try WireJSON.decode(OutgoingMessage.self, from: $0.body) }
                }
                let left = try await service.pool.withConnection {
                    try await $0.query("SELECT count(*) AS number FROM tenant_admin.outbox")
                }

                #expect(early == 1)
                #expect(messages.count == 2)
                #expect(messages[0].id == messages[1].id)
                #expect(messages[0].token != messages[1].token)
                #expect(try left[0].decode("number", as: Int.self) == 0)
            }
        }
    }

    @Test("a tenant whose rows cannot be reached delays no other tenant's messages, and its own are retried")
    func onesTrouble() async throws {
        try await TestService.run { service in
            let (broken, well) = (try await service.createTenant("broken"), try await service.createTenant("well"))
            let outbox = Outbox(database: TenantDatabase(pool: service.pool))
            for tenant in [broken, well] {
                try await outbox.enqueueReset(of: "admin@\(tenant.subdomain).example", in: tenant.id)
            }
            func rename(_ from: String, _ to: String) async throws {
                try await TenantDatabase(pool: service.pool).withTenant(broken.id) {
                    _ = try await $0.execute("ALTER TABLE \(identifier: from) RENAME TO \(identifier: to)")
                }
            }
            try await rename("one_time_tokens", "elsewhere")
            let first = try await outbox.claim(10).map(\.message.tenant.subdomain)
            try await rename("elsewhere", "one_time_tokens")
            try await service.pool.withConnection {
                _ = try await $0.execute("UPDATE tenant_admin.outbox SET next_attempt_at = now()")
            }
            let second = try await outbox.claim(10).map(\.message.tenant.subdomain)

            #expect(first == ["well"])
            #expect(Set(second) == ["well", "broken"])
        }
    }

    @Test("a tenant whose tables are locked delays no other tenant's messages", .timeLimit(.minutes(5)))
    func lockedTenant() async throws {
        try await TestService.run { service in
            let (locked, well) = (try await service.createTenant("locked"), try await service.createTenant("well"))
            let database = TenantDatabase(pool: service.pool)
            let outbox = Outbox(database: database)
            for tenant in [locked, well] {
                try await outbox.enqueueReset(of: "admin@\(tenant.subdomain).example", in: tenant.id)
            }
            try await database.withTenant(locked.id) { connection in
                try await connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
                #expect(try await outbox.claim(10).map(\.message.tenant.subdomain) == ["well"])
            }
        }
    }

    @Test("a second reset is a message of its own: what is said late of the first does not end it")
    func secondReset() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let outbox = Outbox(database: TenantDatabase(pool: service.pool))
            func reset() async throws -> MessageID {
                try await outbox.enqueueReset(of: "admin@acme.example", in: tenant.id)
                return try #require(try await outbox.claim(10).first?.entry.id)
            }
            let first = try await reset()
            #expect(try await outbox.delivered(first))
            try await service.pool.withConnection {
                _ = try await $0.execute("UPDATE tenant_admin.outbox SET created_at = now() - interval '1 hour'")
            }
            let second = try await reset()

            #expect(first != second)
            #expect(try await !outbox.delivered(first))
            #expect(try await outbox.delivered(second))
        }
    }

    @Test("a message of a tenant that is suspended while it is being fetched is not lost")
    func suspendedMeanwhile() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let outbox = Outbox(database: TenantDatabase(pool: service.pool))
            let entry = Outbox.Entry(
                id: MessageID(), tenant: tenant.id, kind: .passwordReset, recipient: "admin@acme.example",
                invitation: nil, expiresAt: Date() + 60, attempts: 1)
            func change(_ transition: String) async throws {
                let path = "/api/v1/tenants/\(tenant.id)/\(transition)"
                #expect(try await service.send(.post, path, as: service.operatorToken).status == 200)
            }
            try await change("suspend")
            await #expect(throws: ProblemError.self) { _ = try await outbox.message(for: entry) }
            try await change("resume")
            #expect(try await outbox.message(for: entry) != nil)
        }
    }

    @Test("resets asked of one tenant for addresses of nobody delay neither its own people's nor other tenants'")
    func strangers() async throws {
        try await TestService.run { service in
            let (acme, other) = (try await service.createTenant("acme"), try await service.createTenant("other"))
            func reset(_ email: String, _ tenant: Tenant) async throws {
                let answer = try await service.send(
                    .post, "/api/v1/auth/password-reset", as: service.publicToken(tenant.id),
                    json: PasswordResetRequest(email: email))
                #expect(answer.status == 202)
            }
            for number in 1...50 { try await reset("nobody\(number)@acme.example", acme) }
            try await reset("admin@other.example", other)
            try await reset("admin@acme.example", acme)

            let first = try await service.claimMessages()
            let second = try await service.claimMessages()

            #expect(first.map(\.email) == ["admin@other.example"])
            // After the fifty, of which nothing is sent.
            #expect(second.map(\.email) == ["admin@acme.example"])
        }
    }

    @Test("expired messages are taken away, and the pauses between attempts grow to a quarter of an hour")
    func expiry() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let outbox = Outbox(database: TenantDatabase(pool: service.pool))
            try await outbox.enqueueReset(of: "admin@acme.example", in: tenant.id)
            try await service.pool.withConnection {
                _ = try await $0.execute("UPDATE tenant_admin.outbox SET expires_at = now() - interval '1 second'")
            }
            let claimed = try await outbox.claim(10)
            try await outbox.removeExpired()
            let left = try await service.pool.withConnection {
                try await $0.query("SELECT count(*) AS number FROM tenant_admin.outbox")
            }

            #expect(claimed.isEmpty)
            #expect(try left[0].decode("number", as: Int.self) == 0)
            #expect(
                [1, 2, 3, 9, 60].map { MessageDelivery.backoff.pause(after: $0).components.seconds } == [
                    5, 10, 20, 900, 900,
                ])
        }
    }

    @Test("a webhook that could not be right is refused at start")
    func configuration() async {
        let client = HTTPClient(logger: PostgresCluster.quietLogger)
        for (url, secret) in [
            ("mailer", Self.secret), ("ftp://x/y", Self.secret), ("http://u@x/", Self.secret), ("http://x/", "short"),
        ] {
            #expect(throws: ConfigurationError.self) { try Webhook(url: url, secret: secret, client: client) }
        }
        await client.shutdown()
    }
}
