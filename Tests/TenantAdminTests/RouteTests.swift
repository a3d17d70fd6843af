import Contracts
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Routes")
struct RouteTests {
    @Test("tenant-admin and the gateway's table agree on methods, paths and who is let in")
    func gatewayTable() async throws {
        let pool = PostgresPool(
            configuration: try PostgresConfiguration(url: "postgres://nobody@127.0.0.1:1/nothing"),
            logger: PostgresCluster.quietLogger)
        let schemas = try TenantSchemas(
            pool: pool, migrationsDirectory: ServiceDatabases.migrations("tenant"), logger: PostgresCluster.quietLogger)
        let parts = TenantAdminParts(
            verifier: AssertionVerifier(audience: .tenantAdmin, keys: JSONWebKeySet(keys: [])), pool: pool,
            schemas: schemas,
            anchors: AuditAnchors(
                pool: pool, signer: StatementSigner(keyPair: ServiceKeyPair()), logger: PostgresCluster.quietLogger),
            heads: StatementVerifier(keys: JSONWebKeySet(keys: [])),
            purge: TenantPurge(
                pool: pool, restoreDays: 30, settling: .zero, interval: .seconds(60),
                logger: PostgresCluster.quietLogger),
            imports: .testing(), exports: .testing(), turns: BulkTurns(atOnce: 4),
            changes: ChangeFeed(pool: pool, schema: "tenant_admin", logger: PostgresCluster.quietLogger),
            archives: KeptArchives())
        let routes = parts.routes

        #expect(routes.declared.count > 70)
        #expect(try GatewayTable.disagreements(of: .tenantAdmin, routes.declared) == [])
        #expect(try GatewayTable.unnoticedFaults(of: .tenantAdmin, routes.declared) == [])
        #expect(APIDescriptionFaults.of(routes.declared) == [])
        await pool.close()
    }

    @Test("docs/operations.md states settings that tenant-admin has, and their defaults")
    func settings() throws {
        let keys = ConfigurationKey.common(for: .tenantAdmin) + TenantAdminSettings.keys
        #expect(try SettingsTable.disagreements(of: .tenantAdmin, keys) == [])
    }
}
