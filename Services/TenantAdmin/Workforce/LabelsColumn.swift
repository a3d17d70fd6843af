import Contracts
import Postgres

/// The labels of an allocation, a `jsonb` column.
struct LabelsColumn: PostgresDecodable {
    let labels: [String: String]

    init(postgresText text: String) throws {
        let usual = LineScanner.scan(text.utf8) { scanner in
            scanner.pairs().flatMap { scanner.ends(with: "") ? $0 : nil }
        }
        labels = try usual ?? PostgresJSON<[String: String]>(postgresText: text).value
    }
}
