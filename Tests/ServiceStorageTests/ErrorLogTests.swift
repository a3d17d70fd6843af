import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@Suite("Database errors in the log")
struct ErrorLogTests {
    @Test("the server's quotes of rows and values are not logged, its message about the statement is")
    func noData() async throws {
        try await ServiceDatabases.withDatabases("kit") { databases in
            let pool = PostgresPool(
                configuration: try .patient(url: databases.mlTraining), logger: PostgresCluster.quietLogger
            )
            func failure(_ query: SQL) async -> PostgresError? {
                await #expect(throws: PostgresError.self) {
                    try await pool.withTransaction { connection in
                        try await connection.executeScript(
                            "CREATE TABLE ml_training.people (email text PRIMARY KEY CHECK (email <> 'mia@acme.example'))"
                        )
                        try await connection.execute(query)
                    }
                }
            }
            let refused = try #require(
                await failure("INSERT INTO ml_training.people VALUES (\("mia@acme.example"))"))
            let value = try #require(await failure("SELECT (\("mia@acme.example")::text)::uuid"))
            let statement = try #require(await failure("SELECT nothing FROM ml_training.people"))
            await pool.close()

            for error in [refused, value] {
                // Without this the log would have it.
                #expect(String(reflecting: error).contains("mia@acme.example"))
                #expect(!LogText.of(error).contains("mia@acme.example"))
                #expect(LogText.of(error).contains("ErrorLogTests.swift"))
            }
            #expect(LogText.of(refused).contains("people_email_check"))
            #expect(LogText.of(statement).contains("column \"nothing\" does not exist"))
        }
    }

    @Test("only the first line of the client library's message about a broken connection is logged")
    func brokenConnection() {
        var error = PostgresError(.connectionLost, "The connection to the database was lost.")
        error.serverMessage = "FATAL:  terminating connection\nCONTEXT:  COPY import_rows, line 2: \"E1 Mia\""

        #expect(LogText.of(error).contains("FATAL:  terminating connection"))
        #expect(!LogText.of(error).contains("Mia"))
    }
}
