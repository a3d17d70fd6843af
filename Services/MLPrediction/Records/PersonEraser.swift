import Basics
import Contracts
import Postgres
import ServiceStorage
import Synchronization

/// Removes what stored predictions say of people who were anonymised or deleted. Of an anonymised person hours, chances and reasons stay,
/// and the name goes, as the person asked about or as an alternative, with all that people have written: notes, and titles and labels of
/// questions about the person. All forecasts about a deleted person go.
///
/// The removal runs twice. An answer under way, or one from a history that is a moment old, may still bring a name after the first
/// run; once such answers are certainly written, the second run removes that name, and only then it is done.
final class PersonEraser: Sendable {
    let database: ServiceDatabase
    /// After so long no answer is under way that knows a name from before.
    let settling: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    /// When each was done for the first time.
    private let begun = Mutex(RecentEntries<Erasure, ContinuousClock.Instant>(maximumCount: 10_000))

    init(
        database: ServiceDatabase, settling: Duration,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.database = database
        self.settling = settling
        self.now = now
    }

    /// - Returns: those who were erased for the second time.
    func erase(_ people: [Erasure]) async throws -> [Erasure] {
        var done: [Erasure] = []
        for person in people {
            if try await erase(person) { done.append(person) }
        }
        return done
    }

    private func erase(_ erasure: Erasure) async throws -> Bool {
        let time = now()
        let first = begun.withLock { $0[erasure] }
        // Between the two times there is nothing to do.
        if let first, time - first < settling { return false }
        try await Self.erase(erasure, in: database)
        begun.withLock { begun in
            if first == nil { begun.insert(time, for: erasure) } else { begun.remove(erasure) }
        }
        return first != nil
    }

    static func erase(_ erasure: Erasure, in database: ServiceDatabase) async throws {
        try await database.withTenantRows(erasure.tenantId) { connection in
            try await connection.setLocal(settings: ["lock_timeout": PersonErasures.lockTimeout])
            guard erasure.isDeleted != true else {
                return _ = try await removeForecasts(of: erasure.employeeId, on: connection)
            }
            try await removeTexts(about: erasure.employeeId, on: connection)
            try await removeNames(of: erasure.employeeId, on: connection)
        }
    }

    /// Removes the predictions about a person, and the person from those that name them as an alternative. The rest of an erasure is
    /// done with it.
    /// - Returns: how many there were of each.
    static func removeForecasts(
        of person: EmployeeID, on connection: PostgresConnection
    ) async throws -> (predictions: Int, alternatives: Int) {
        try await removeTexts(about: person, on: connection)
        let predictions = try await connection.execute("DELETE FROM predictions WHERE employee_id = \(person)")
        let alternatives = try await connection.execute(
            """
            UPDATE predictions SET prediction_result = jsonb_set(prediction_result, '{alternativeOptions}', (
                SELECT coalesce(jsonb_agg(o ORDER BY n), '[]')
                FROM jsonb_array_elements(prediction_result -> 'alternativeOptions') WITH ORDINALITY e (o, n)
                WHERE o ->> 'employeeId' <> \(person.description)))
            WHERE \(sql: isAlternative(person))
            """)
        // Worked out again from what is left when they are asked for: days of which nothing is left would keep their figures.
        if predictions > 0 { try await connection.execute("DELETE FROM daily_model_metrics") }
        return (predictions, alternatives)
    }

    private static func isAlternative(_ person: EmployeeID) -> SQL {
        """
        prediction_result -> 'alternativeOptions' @> jsonb_build_array(jsonb_build_object('employeeId', \(person.description)::text))
        """
    }

    private static func removeNames(of person: EmployeeID, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE predictions SET prediction_result = jsonb_set(prediction_result, '{alternativeOptions}', (
                SELECT jsonb_agg(CASE WHEN o ->> 'employeeId' = \(person.description)
                    THEN jsonb_set(o, '{name}', to_jsonb(\(Erasure.name)::text)) ELSE o END ORDER BY n)
                FROM jsonb_array_elements(prediction_result -> 'alternativeOptions') WITH ORDINALITY e (o, n)))
            WHERE \(sql: isAlternative(person))
            """)
        try await connection.execute(
            """
            UPDATE predictions
            SET prediction_result = jsonb_set(prediction_result, '{standing,name}', to_jsonb(\(Erasure.name)::text))
            WHERE prediction_result -> 'standing' ->> 'employeeId' = \(person.description)
            """)
    }

    /// What people have written about a person or the person's work may name the person.
    private static func removeTexts(about person: EmployeeID, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE predictions SET feedback_comment = NULL, decision_reason = NULL
            WHERE (feedback_comment IS NOT NULL OR decision_reason IS NOT NULL)
                AND (employee_id = \(person) OR instead_employee_id = \(person) OR \(sql: isAlternative(person)))
            """)
        // Nothing is learned from what a question calls the work. Reasons quote it.
        try await connection.execute(
            """
            UPDATE predictions SET input_data = input_data - 'title' - 'labels',
                prediction_result = jsonb_set(prediction_result, '{explanation}', (
                    SELECT coalesce(
                        jsonb_agg(CASE WHEN e ->> 'text' LIKE '%“%' THEN e - 'text' ELSE e END ORDER BY n), '[]')
                    FROM jsonb_array_elements(prediction_result -> 'explanation') WITH ORDINALITY r (e, n)))
            WHERE input_data ?| '{title,labels}' AND (employee_id = \(person) OR instead_employee_id = \(person))
            """)
        // Answers that are kept for a repetition.
        try await connection.execute(
            "UPDATE idempotency_keys SET \(sql: IdempotencyKey.erasure) WHERE answer::text LIKE \("%\(person)%")")
    }
}
