import Contracts
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

/// What sharding by schema asks for: no transaction reaches into two tenants.
@Suite("Transactions of tenants")
struct TransactionTests {
    /// Looks at the end of every transaction that has written into an audit log which tenants' tables it has touched.
    private static let watch = """
        CREATE SCHEMA watch;
        GRANT USAGE ON SCHEMA watch TO PUBLIC;
        CREATE FUNCTION watch.one_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            touched text[];
        BEGIN
            SELECT array_agg(DISTINCT n.nspname::text) INTO touched FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
                AND n.nspname LIKE 'tenant\\_%' AND n.nspname NOT IN ('tenant_admin', 'tenant_template');
            IF cardinality(touched) > 1 THEN RAISE EXCEPTION 'one transaction in %', touched; END IF;
            RETURN NULL;
        END
        $$;
        """
    private static let trigger = """
        CREATE CONSTRAINT TRIGGER one_tenant AFTER INSERT ON audit_logs DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION watch.one_tenant();
        """

    @Test("no transaction that changes a tenant touches another one's tables")
    func oneTenant() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(Self.trigger.utf8).write(to: folder.appendingPathComponent("0900_watch.sql"))
        try await TestService.run(tenantMigrations: folder.path) { service in
            let superuser = PostgresPool(
                configuration: try PostgresConfiguration(url: service.databases.superuser),
                logger: PostgresCluster.quietLogger)
            try await superuser.withConnection { try await $0.executeScript(Self.watch) }
            await superuser.close()
            let other = try await service.createTenant("other")
            let tenant = try await service.filledTenant()
            // The same connections have served the one and the other.
            let token = try service.token(other.id)
            for (method, path, body) in [
                (HTTPRequest.Method.post, "users", #"{"email":"z@other.example","name":"Z","roles":["viewer"]}"#),
                (.post, "invitations", #"{"email":"y@other.example","name":"Y"}"#),
                (.patch, "settings", #"{"settings":{"timezone":"Europe/Berlin"}}"#),
                (.post, "roles", #"{"name":"r","permissions":[{"resource":"projects","actions":["read"]}]}"#),
            ] {
                let reply = try await service.send(method, "/api/v1/\(path)", as: token, text: body)
                #expect((200...201).contains(reply.status), "\(path): \(reply.text)")
            }
            let archive = try await service.export(tenant)
            _ = try await service.bring(archive, into: other)
            try await service.restore(archive, into: other)
            for action in ["suspend", "resume"] {
                let reply = try await service.send(
                    .post, "/api/v1/tenants/\(other.id)/\(action)", as: service.operatorToken)
                #expect(reply.status == 200)
            }
            #expect(
                try await service.send(
                    .delete, "/api/v1/tenants/\(other.id)", as: service.operatorToken
                ).status == 200)

            // The guard sees one that does.
            await #expect(throws: PostgresError.self) {
                try await service.pool.withTransaction { connection in
                    for subdomain in ["acme", "other"] {
                        let names = try await connection.query(
                            "SELECT schema_name, role_name FROM tenant_admin.tenants WHERE subdomain = \(subdomain)")[0]
                        try await TenantDatabase.enter(
                            TenantNames(schema: try names.decode("schema_name"), role: try names.decode("role_name")),
                            on: connection)
                        try await connection.execute(
                            "INSERT INTO audit_logs (actor, action, entity, request_id) VALUES ('t', 'x', 'y', 'r')")
                        try await TenantDatabase.leave(on: connection)
                    }
                }
            }
        }
    }
}
