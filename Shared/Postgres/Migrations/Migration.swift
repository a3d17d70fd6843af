import Basics
import Crypto
import FoundationEssentials

/// One ordered step of a schema's history: a file `NNNN_what.sql`.
public struct Migration: Sendable, Hashable {
    /// `NNNN`; steps are applied in this order.
    public let number: Int
    /// The whole file name.
    public let name: String
    public let sql: String
    /// SHA-256 of the file's bytes in hexadecimal. A file whose first line is `-- In place of CHECKSUM` gives by and by what an earlier
    /// text of it gave at once, and goes by that text's checksum: databases and older nodes that have the earlier text know no other.
    public let checksum: String

    /// - Throws: `migration` if the name is not `NNNN_what.sql`, or the file is in place of what is no checksum.
    public init(name: String, sql: String) throws(PostgresError) {
        let digits = name.prefix(4)
        guard name.hasSuffix(".sql"), name.utf8.count > 9, name.dropFirst(4).first == "_",
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(digits)
        else { throw PostgresError(.migration, "The migration \(name) is not named NNNN_what.sql.") }
        self.number = number
        self.name = name
        self.sql = sql
        checksum = try Self.replaced(by: sql, name) ?? SHA256.hash(data: Data(sql.utf8)).hex
    }

    private static func replaced(by sql: String, _ name: String) throws(PostgresError) -> String? {
        let opening = "-- In place of "
        guard sql.hasPrefix(opening) else { return nil }
        let checksum = String(sql.dropFirst(opening.count).prefix { $0 != "\n" })
        guard checksum.wholeMatch(of: /[0-9a-f]{64}/) != nil else {
            throw PostgresError(.migration, "The first line of \(name) names no checksum that the file is in place of.")
        }
        return checksum
    }
}

/// The pieces a migration run is made of; ``MigrationRunner`` puts them together for a service's own schema.
public enum Migrations {
    /// The migrations in a folder, in order. Other files are ignored.
    /// - Throws: `migration` if the folder cannot be read, a file is misnamed or not UTF-8, or two have one number.
    public static func load(directory: String) throws -> [Migration] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw PostgresError(.migration, "The migrations folder \(directory) cannot be read.", underlying: error)
        }
        let migrations = try names.filter { $0.hasSuffix(".sql") }.map { name in
            guard let data = FileManager.default.contents(atPath: directory + "/" + name),
                let text = String(validating: data, as: UTF8.self)
            else { throw PostgresError(.migration, "The migration \(name) cannot be read as UTF-8.") }
            return try Migration(name: name, sql: text)
        }
        return try ordered(migrations)
    }

    static func ordered(_ migrations: [Migration]) throws(PostgresError) -> [Migration] {
        let sorted = migrations.sorted { $0.number < $1.number }
        for (first, second) in zip(sorted, sorted.dropFirst()) where first.number == second.number {
            throw PostgresError(.migration, "\(first.name) and \(second.name) have the same number.")
        }
        return sorted
    }

    /// What is still to be applied, given what was.
    ///
    /// What was applied beyond the newest of `migrations` is a newer version's: changes only add, so an older version runs on a
    /// newer schema, while nodes are replaced one by one and when they are put back.
    /// - Parameter migrations: in order, as ``load(directory:)`` gives them.
    /// - Throws: `migration` if an applied file was edited, is missing, or a new one is numbered before an applied one.
    public static func pending(
        _ migrations: [Migration], applied: [Record]
    ) throws(PostgresError) -> [Migration] {
        let known = Dictionary(migrations.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        let newest = known.keys.max() ?? -1
        for row in applied where row.number <= newest {
            guard let migration = known[row.number] else {
                throw PostgresError(.migration, "\(row.name) was applied to the database, but the file is missing.")
            }
            guard migration.checksum == row.checksum else {
                throw PostgresError(.migration, "\(migration.name) was edited after it had been applied.")
            }
        }
        let latest = applied.map(\.number).max() ?? -1
        let pending = migrations.filter { migration in !applied.contains { $0.number == migration.number } }
        if let late = pending.first(where: { $0.number < latest }) {
            throw PostgresError(.migration, "\(late.name) is numbered before migrations that were applied already.")
        }
        return pending
    }
}
