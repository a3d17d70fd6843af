import Foundation
import TestSupport
import Testing

@testable import Postgres

private enum Plan: String, PostgresCodable { case starter, enterprise }
private struct Document: Codable, Equatable { var name: String; var at: Date; var tags: [String]? }

@Suite("Values")
struct ValueTests {
    private func roundTrip<T: PostgresCodable & Equatable>(
        _ value: T, _ type: String, on connection: PostgresConnection, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let cast = SQL(stringLiteral: "::" + type)
        let rows = try await connection.query("SELECT \(value)" + cast + " as value")
        #expect(try rows[0].decode("value") == value, sourceLocation: location)
    }

    @Test("every supported type survives the way to the server and back")
    func roundTrips() async throws {
        try await PostgresCluster.withPool("values") { pool in
            try await pool.withConnection { connection in
                try await roundTrip(true, "bool", on: connection)
                try await roundTrip(Int.min, "int8", on: connection)
                try await roundTrip(Int16.max, "int2", on: connection)
                try await roundTrip(Int32.min, "int4", on: connection)
                for value in [0.1, -Double.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e21] {
                    try await roundTrip(value, "float8", on: connection)
                }
                try await roundTrip(Float(0.1), "float4", on: connection)
                try await roundTrip("Grüße, 'quoted' \\ \"x\" 🙂\n", "text", on: connection)
                try await roundTrip("", "text", on: connection)
                try await roundTrip(UUID(), "uuid", on: connection)
                try await roundTrip([UInt8](0...255), "bytea", on: connection)
                try await roundTrip(Data([0, 255, 92]), "bytea", on: connection)
                try await roundTrip(Int?.none, "int4", on: connection)
                try await roundTrip(Plan.enterprise, "text", on: connection)
                try await roundTrip(["a,b", "", "NULL", "q\"\\{}", " "], "text[]", on: connection)
                try await roundTrip([Int](), "int8[]", on: connection)
                try await roundTrip([1, nil, 3], "int8[]", on: connection)
                try await roundTrip([Data([1]), Data()], "bytea[]", on: connection)
                let document = Document(name: "ü", at: Date(timeIntervalSince1970: 1_700_000_000.25), tags: ["x"])
                try await roundTrip(PostgresJSON(document), "jsonb", on: connection)
            }
        }
    }

    @Test(
        "dates keep their microseconds in any century and time zone",
        arguments: [
            0, 1_709_211_599.123456, -1e9, -62_135_596_800, -62_167_219_201.5, 253_402_300_800, 4_102_444_800.000001,
        ])
    func dates(_ seconds: Double) async throws {
        try await PostgresCluster.withPool("dates") { pool in
            try await pool.withConnection { connection in
                let date = Date(timeIntervalSince1970: seconds)
                for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns", "Africa/Monrovia"] {
                    try await connection.execute("set timezone to \(literal: zone)")
                    let row = try await connection.query(
                        "SELECT \(date)::timestamptz AS value, extract(epoch FROM \(date)::timestamptz)::float8 AS epoch"
                    )[0]
                    #expect(abs(try row.decode("value", as: Date.self).timeIntervalSince(date)) < 1e-4)
                    #expect(abs(try row.decode("epoch", as: Double.self) - seconds) < 1e-4)
                }
            }
        }
    }

    @Test("the text of times agrees with the server's for published instants")
    func timestampText() throws {
        #expect(TimestampText.text(microsecondsSince1970: 951_782_400_000_001) == "2000-02-29 00:00:00.000001+00")
        #expect(TimestampText.text(microsecondsSince1970: -1) == "1969-12-31 23:59:59.999999+00")
        #expect(try TimestampText.microsecondsSince1970(of: "2000-02-29 05:30:00+05:30") == 951_782_400_000_000)
        #expect(try TimestampText.microsecondsSince1970(of: "1970-01-02") == 86_400_000_000)
        for bad in ["infinity", "", "2000-13-01", "2000-01-01T00:00:00", "2000-01-01 00:00:00+"] {
            #expect(throws: (any Error).self) { try TimestampText.microsecondsSince1970(of: bad) }
        }
    }

    @Test(
        "an error's table is the first that the statement reads or writes",
        arguments: [
            ("SELECT * FROM users u WHERE id = $1 FOR UPDATE OF u", "users"),
            ("SELECT extract(epoch FROM now()) FROM\n  tenant_admin.tenants, x", "tenant_admin.tenants"),
            ("INSERT INTO jobs (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = $1", "jobs"),
            ("UPDATE \"audit head\" SET seq = 1", "audit"), ("UPDATE only_one SET a = 1", "only_one"),
            ("SELECT * FROM (SELECT 1) t JOIN skills s ON true", nil), ("SELECT 1 FOR UPDATE SKIP LOCKED", nil),
            ("", nil), ("from", nil),
        ] as [(String, String?)])
    func firstTable(statement: String, table: String?) {
        #expect(StatementTraits.firstTable(of: statement) == table)
    }

    @Test("a stream's decoding error names the row by its place when it has no id")
    func streamedRow() async throws {
        try await PostgresCluster.withPool("decodingstream") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE notes (body text)")
                try await connection.execute("INSERT INTO notes VALUES ('1'), ('2'), ('three')")
                let error = try await postgresError {
                    for try await row in connection.stream("SELECT body FROM notes") {
                        _ = try row.decode("body", as: Int.self)
                    }
                }
                #expect(error.tableName == "notes" && error.description.contains("row 3"))
            }
        }
    }

    @Test("decoding errors name the column and what was wanted")
    func decodingErrors() async throws {
        try await PostgresCluster.withPool("decoding") { pool in
            try await pool.withConnection { connection in
                let row = try await connection.query("SELECT 'seven' AS hours, NULL::int AS age, 1 AS id")[0]
                let wrong = try await postgresError { _ = try row.decode("hours", as: Int.self) }
                #expect(wrong.code == .decoding && wrong.columnName == "hours" && wrong.description.contains("Int"))
                let null = try await postgresError { _ = try row.decode("age", as: Int.self) }
                #expect(null.code == .decoding && null.columnName == "age")
                #expect(try row.decode("age", as: Int?.self) == nil)
                let missing = try await postgresError { _ = try row.decode("nmae", as: Int.self) }
                #expect(wrong.description.contains("the row 1") && wrong.statement?.contains("hours") == true)
                #expect(missing.description.contains("nmae") && missing.description.contains("hours, age, id"))
                let (hours, age, id) = try row.decode(String.self, Int?.self, Int.self)
                #expect(hours == "seven" && age == nil && id == 1)
                #expect(throws: PostgresError.self) { try row.decode(at: 3, as: Int.self) }
                #expect(throws: PostgresError.self) { try row.decode("id", as: Plan.self) }
            }
        }
    }

    @Test(
        "array texts that are not one-dimensional arrays are refused",
        arguments: ["", "{", "{1", "{1,}", "{{1}}", "{\"a}", "{1}x"])
    func badArrays(_ text: String) {
        #expect(throws: (any Error).self) { try ArrayLiteral.elements(of: text) }
    }
}
