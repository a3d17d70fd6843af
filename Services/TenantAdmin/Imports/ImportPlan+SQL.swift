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
        let columns = kind.columns.map { column -> SQL in "\(identifier: column)" }
        return "copy pg_temp.import_rows (line, \(sql: columns.joined(separator: ", "))) from stdin"
    }

    /// Rows that name what an earlier row of the file names, and rows that fail a check.
    var allChecks: [Check] {
        let sameKey = key.map { column -> SQL in "o.\(identifier: column) = r.\(identifier: column)" }
            .joined(separator: " and ")
        let earlier: SQL = "from pg_temp.import_rows o where \(sql: sameKey) and o.line < r.line"
        let duplicate = Check(
            column: key[key.count - 1], condition: "exists (select \(sql: earlier))",
            reason: "'names the same row as line ' || (select min(o.line) \(sql: earlier))")
        return [duplicate] + checks
    }

    /// The first bad rows of one check: `line`, `reason`.
    func failures(of check: Check, limit: Int) -> SQL {
        """
        select r.line, \(sql: check.reason) as reason from pg_temp.import_rows r
        where \(sql: check.condition) order by r.line limit \(limit)::bigint
        """
    }

    /// Takes all bad rows away; the number affected is the number rejected.
    var removeFailures: SQL {
        let any = allChecks.map { check -> SQL in "(\(sql: check.condition))" }.joined(separator: " or ")
        return "delete from pg_temp.import_rows r where \(sql: any)"
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
