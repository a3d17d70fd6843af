import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Takes the names of people who were made nameless out of the predictions that named them, as alternatives or beside them.
/// tenant-admin says who they are, and is told once it is done.
struct PersonEraser: Service {
    let database: ServiceDatabase
    /// Asks tenant-admin.
    let client: ServiceClient
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await database.readiness.becomesReady()
            while !Task.isCancelled {
                do {
                    try await eraseDue()
                } catch {
                    if Task.isCancelled { return }
                    logger.info(
                        "Erasing people's names failed; it is retried", metadata: [LogKey.error: "\(LogText.of(error))"]
                    )
                }
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func eraseDue() async throws {
        let erasures: [Erasure] = try await client.get("/internal/v1/erasures", trace: TraceContext())
        for erasure in erasures {
            try await Self.erase(erasure, in: database)
            let _: Erasure = try await client.post("/internal/v1/erasures", erasure, trace: TraceContext())
        }
    }

    static func erase(_ erasure: Erasure, in database: ServiceDatabase) async throws {
        let id = erasure.employeeId.description
        try await database.withTenantRows(erasure.tenantId) { connection in
            try await connection.execute(
                """
                UPDATE predictions SET prediction_result = jsonb_set(prediction_result, '{alternativeOptions}', (
                    SELECT jsonb_agg(CASE WHEN o ->> 'employeeId' = \(id)
                        THEN jsonb_set(o, '{name}', to_jsonb(\(Erasure.name)::text)) ELSE o END ORDER BY n)
                    FROM jsonb_array_elements(prediction_result -> 'alternativeOptions') WITH ORDINALITY e (o, n)))
                WHERE prediction_result -> 'alternativeOptions' @> jsonb_build_array(jsonb_build_object('employeeId', \(id)::text))
                """)
            try await connection.execute(
                """
                UPDATE predictions
                SET prediction_result = jsonb_set(prediction_result, '{standing,name}', to_jsonb(\(Erasure.name)::text))
                WHERE prediction_result -> 'standing' ->> 'employeeId' = \(id)
                """)
            // Answers that are kept for a repetition.
            try await connection.execute("DELETE FROM idempotency_keys WHERE answer::text LIKE \("%\(id)%")")
        }
    }
}
