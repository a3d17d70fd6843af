import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage
import Synchronization

/// Removes the names of anonymised people from stored predictions: their names as the person asked about or as alternatives, and
/// the notes on the prediction. tenant-admin lists these people and gets a confirmation.
///
/// The removal runs twice. An answer under way, or one from a history that is a moment old, may still bring a name after the first
/// run; once such answers are certainly written, the second run removes that name, and only then tenant-admin gets the confirmation.
final class PersonEraser: Service {
    let database: ServiceDatabase
    /// Asks tenant-admin.
    let client: ServiceClient
    let interval: Duration
    /// After so long no answer is under way that knows a name from before.
    let settling: Duration
    let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    /// When each was done for the first time.
    private let begun = Mutex<[Erasure: ContinuousClock.Instant]>([:])

    init(
        database: ServiceDatabase, client: ServiceClient, interval: Duration, settling: Duration, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.database = database
        self.client = client
        self.interval = interval
        self.settling = settling
        self.logger = logger
        self.now = now
    }

    func run() async throws {
        await PeriodicWork(every: interval).run(
            logging: .each("Erasing people's names failed; retrying", at: .info, to: logger)
        ) { try await self.eraseDue() }
    }

    /// - Throws: `ProblemError` when tenant-admin cannot be asked now; as `attemptEach`.
    func eraseDue() async throws {
        let erasures: [Erasure] = try await client.get("/internal/v1/erasures", trace: TraceContext())
        let time = now()
        begun.withLock { begun in begun = begun.filter { erasures.contains($0.key) } }
        try await erasures.attemptEach(
            of: \.tenantId, logging: "Erasing a person's name failed; retrying", at: .info, to: logger
        ) { try await erase($0, at: time) }
    }

    private func erase(_ erasure: Erasure, at time: ContinuousClock.Instant) async throws {
        let first = begun.withLock { $0[erasure] }
        // Between the two times there is nothing to do.
        if let first, time - first < settling { return }
        try await Self.erase(erasure, in: database)
        if first == nil {
            begun.withLock { $0[erasure] = time }
        } else {
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
            // What was written about a person may name them.
            try await connection.execute(
                """
                UPDATE predictions SET feedback_comment = NULL, decision_reason = NULL
                WHERE (feedback_comment IS NOT NULL OR decision_reason IS NOT NULL)
                    AND (employee_id = \(erasure.employeeId) OR instead_employee_id = \(erasure.employeeId)
                        OR prediction_result -> 'alternativeOptions'
                            @> jsonb_build_array(jsonb_build_object('employeeId', \(id)::text)))
                """)
            // Answers that are kept for a repetition.
            try await connection.execute("DELETE FROM idempotency_keys WHERE answer::text LIKE \("%\(id)%")")
        }
    }
}
