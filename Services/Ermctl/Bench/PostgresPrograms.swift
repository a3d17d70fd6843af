import Foundation

/// `psql` and `pg_dump` with tenant-admin's own database.
struct PostgresPrograms {
    private let url: String
    /// A command line can be read by others: the password goes here.
    private let environment: [String: String]

    /// - Parameter databaseURL: tenant-admin's own.
    init(databaseURL: String) throws {
        guard var url = URLComponents(string: databaseURL) else {
            throw CommandFailure("The database's URL cannot be parsed.")
        }
        environment = url.password.map { ["PGPASSWORD": $0] } ?? [:]
        url.password = nil
        self.url = url.string ?? databaseURL
    }

    /// - Returns: what the statements give, unaligned and without headers.
    func psql(_ statements: String) throws -> String {
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("erm-\(UUID()).sql")
        try Data(statements.utf8).write(to: script)
        defer { try? FileManager.default.removeItem(at: script) }
        return try Program.output(
            of: ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", script.path, url], environment: environment
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// All objects of a schema as SQL, without owners and rows.
    func dump(_ schema: String) throws -> String {
        try Program.output(
            of: ["pg_dump", "--schema-only", "--no-owner", "--no-privileges", "--schema=\(schema)", url],
            environment: environment)
    }
}
