import Contracts
import Postgres

extension ImportPlan {
    /// The staging table, gone with the transaction. `line` is the row's line of the file.
    static func staging(_ kind: ImportKind) -> SQL {
        // Types come from a fixed table of ours, never from a client.
        let columns = kind.rules.map { rule -> SQL in
            "\(identifier: rule.name) \(sql: SQL(stringLiteral: rule.sqlType))"
        }
        return
            "create temp table import_rows (line bigint not null, \(sql: columns.joined(separator: ", "))) on commit drop"
    }

    static func copy(_ kind: ImportKind) -> SQL {
        let columns = kind.allColumns.map { column -> SQL in "\(identifier: column)" }
        return "copy pg_temp.import_rows (line, \(sql: columns.joined(separator: ", "))) from stdin"
    }

    /// Which staged rows are bad, by column: queries that give `line` and `reason`. First the rows that name what an
    /// earlier row of the file names, then those that fail a check.
    var failures: [(column: String, rows: SQL)] {
        let keys = key.map { column -> SQL in
            names.contains(column) ? "folded(r.\(identifier: column))" : "r.\(identifier: column)"
        }.joined(separator: ", ")
        let duplicates: SQL = """
            select d.line, 'names the same row as line ' || d.first as reason from (
                select r.line, min(r.line) over (partition by \(sql: keys)) as first from pg_temp.import_rows r) d
            where d.line > d.first
            """
        return [(key[key.count - 1], duplicates)]
            + checks.map { check in
                let rows: SQL = """
                    select r.line, \(sql: check.reason) as reason from pg_temp.import_rows r
                    where \(sql: check.condition)
                    """
                return (check.column, rows)
            }
    }

    /// The first bad rows of one kind.
    static func first(_ limit: Int, of failures: SQL) -> SQL {
        "select f.line, f.reason from (\(sql: failures)) f order by f.line limit \(limit)::bigint"
    }

    /// Takes all bad rows away; the number affected is the number rejected. A union of joins, for an `or` of conditions
    /// would have each row look through all others.
    var removeFailures: SQL {
        let lines = failures.map { failure -> SQL in "select f.line from (\(sql: failure.rows)) f" }
            .joined(separator: " union ")
        return "delete from pg_temp.import_rows r where r.line in (\(sql: lines))"
    }

    /// Writes the rows that exist and differ; those that are the same already are not touched, nor their `changed_in`.
    /// nil when the file names nothing that could change.
    func update(named: Set<String>) -> SQL? {
        let changing = assignments.compactMap { assignment -> (column: SQL, value: SQL)? in
            guard let update = assignment.update, isNamed(assignment, named) else { return nil }
            return ("\(identifier: assignment.column)", update)
        }
        guard !changing.isEmpty else { return nil }
        let set = changing.map { pair -> SQL in "\(sql: pair.column) = \(sql: pair.value)" }.joined(separator: ", ")
        let now = changing.map { pair -> SQL in "t.\(sql: pair.column)" }.joined(separator: ", ")
        let then = changing.map(\.value).joined(separator: ", ")
        return """
            update \(identifier: table) t set \(sql: set)
            from pg_temp.import_rows r \(sql: joins)
            where \(sql: match) and row(\(sql: now)) is distinct from row(\(sql: then))
            """
    }

    /// Writes the rows that do not exist yet.
    func insert(named: Set<String>) -> SQL {
        let given = assignments.filter { isNamed($0, named) }
        let columns = given.map { assignment -> SQL in "\(identifier: assignment.column)" }.joined(separator: ", ")
        let values = given.map(\.value).joined(separator: ", ")
        return """
            insert into \(identifier: table) (\(sql: columns))
            select \(sql: values) from pg_temp.import_rows r \(sql: joins)
            where not exists (select from \(identifier: table) t where \(sql: match))
            order by r.line
            """
    }

    private func isNamed(_ assignment: Assignment, _ named: Set<String>) -> Bool {
        assignment.source.map(named.contains) ?? true
    }
}
