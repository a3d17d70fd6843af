import Contracts
import Postgres

/// What the rows of one file name and clear, which decides what an update has to look at.
struct ImportColumns: Sendable, Equatable {
    /// The fields the file names.
    var named: Set<String> = []
    /// The fields that some row clears.
    var cleared: Set<String> = []
}

extension ImportPlan {
    /// The staging table, gone with the transaction. `line` is the row's line of the file, `cleared` names the fields it clears.
    var staging: SQL {
        // Names and types come from our own arrays, never from a client.
        let columns = fields.map { field -> SQL in "\(identifier: field.name) \(sql: field.rule.sqlType)" }
        return """
            create temp table import_rows (line bigint not null, cleared text[], \(sql: columns.joined(separator: ", ")))
            on commit drop
            """
    }

    /// Takes the lines that `ImportRowParser` writes.
    var copy: SQL {
        let columns = fields.map { field -> SQL in "\(identifier: field.name)" }
        return "copy pg_temp.import_rows (line, cleared, \(sql: columns.joined(separator: ", "))) from stdin"
    }

    /// Takes all bad rows away; gives the first of them as `line`, `column_name` and `reason`, each with the number of rows
    /// taken away, and no row when all are good.
    func judge(_ columns: ImportColumns, limit: Int) -> SQL {
        let failures = self.failures(columns).map { failure -> SQL in
            "select f.line, \(failure.column)::text as column_name, f.reason::text as reason from (\(sql: failure.rows)) f"
        }
        return """
            with failures as materialized (\(sql: failures.joined(separator: " union all "))),
                removed as (delete from pg_temp.import_rows r where r.line in (select line from failures) returning 1)
            select line, column_name, reason, (select count(*) from removed) as rejected from failures
            order by line, column_name limit \(limit)::bigint
            """
    }

    /// Which staged rows are bad, by column: queries that give `line` and `reason`. First the rows that name what an
    /// earlier row of the file names, then those that fail a check, then those that contradict what is stored.
    private func failures(_ columns: ImportColumns) -> [(column: String, rows: SQL)] {
        let identity = identity.isEmpty ? key.map { column -> SQL in "r.\(identifier: column)" } : identity
        let keys = identity.joined(separator: ", ")
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
            + orderedPairs.flatMap { contradictions($0, columns) }
    }

    /// A file that names one of a pair may contradict the other, which is stored.
    private func contradictions(_ pair: OrderedPair, _ columns: ImportColumns) -> [(column: String, rows: SQL)] {
        let (earlier, later) = (field(pair.earlier), field(pair.later))
        guard let first = merged(earlier, columns), let last = merged(later, columns) else { return [] }
        func rows(_ given: ImportField, _ reason: String) -> SQL {
            """
            select r.line, \(reason)::text as reason from pg_temp.import_rows r \(sql: joins)
            join \(identifier: table) t on \(sql: match)
            where r.\(identifier: given.name) is not null and \(sql: first) > \(sql: last)
            """
        }
        let isBefore = (later.name, rows(later, "must not be before the \(earlier.name) that is stored"))
        let isAfter = (earlier.name, rows(earlier, "must not be after the \(later.name) that is stored"))
        return pair.earlierOpensAnew ? [isBefore] : [isBefore, isAfter]
    }

    /// What is unusual about the rows that are left, the first so many, as `line`, `column_name` and `reason`; nil where nothing can
    /// be.
    func oddities(limit: Int) -> SQL? {
        guard !warnings.isEmpty else { return nil }
        let rows = warnings.map { check -> SQL in
            """
            select r.line, \(check.column)::text as column_name, (\(sql: check.reason))::text as reason
            from pg_temp.import_rows r where \(sql: check.condition)
            """
        }
        return "\(sql: rows.joined(separator: " union all ")) order by line, column_name limit \(limit)::bigint"
    }

    /// Counts the rows in which a value is taken away that is there; nil when the file clears nothing.
    func clearances(_ columns: ImportColumns) -> SQL? {
        let losses = fields.filter { columns.cleared.contains($0.name) }.flatMap { field in
            field.targets.compactMap { target -> SQL? in
                guard target.updated != nil, let cleared = target.cleared else { return nil }
                return """
                    (\(field.name) = any(r.cleared) and t.\(identifier: target.column) is distinct from \(sql: cleared))
                    """
            }
        }
        guard !losses.isEmpty else { return nil }
        return """
            select count(*) as cleared from pg_temp.import_rows r \(sql: joins)
            join \(identifier: table) t on \(sql: match)
            where r.cleared is not null and (\(sql: losses.joined(separator: " or ")))
            """
    }

    /// Counts how many more rows of a limited kind there will be.
    func added(_ limit: Limit) -> SQL {
        """
        select (\(sql: limit.added)) as added from pg_temp.import_rows r \(sql: joins)
        left join \(identifier: table) t on \(sql: match)
        """
    }

    /// Writes the rows that exist and differ; those that are the same already are not touched, nor their `changed_in`.
    /// nil when the file names nothing that could change.
    func update(_ columns: ImportColumns) -> SQL? {
        let changes = changes(columns)
        guard !changes.isEmpty else { return nil }
        let set = changes.map { change -> SQL in "\(identifier: change.column) = \(sql: change.value)" }
        let now = changes.map { change -> SQL in "t.\(identifier: change.column)" }
        let values = changes.map(\.value)
        return """
            update \(identifier: table) t set \(sql: set.joined(separator: ", "))
            from pg_temp.import_rows r \(sql: joins) \(sql: valueJoins)
            where \(sql: match)
                and row(\(sql: now.joined(separator: ", "))) is distinct from row(\(sql: values.joined(separator: ", ")))
            """
    }

    /// Writes the rows that do not exist yet.
    func insert(_ history: ImportHistory = .asDecided) -> SQL {
        var targets = fields.flatMap(\.targets)
        if kind == .allocations, history == .unknown {
            targets.append(ImportTarget(column: "history_known", inserted: "false", updated: nil))
        }
        let columns = targets.map { target -> SQL in "\(identifier: target.column)" }
        return """
            insert into \(identifier: table) (\(sql: columns.joined(separator: ", ")))
            select \(sql: targets.map(\.inserted).joined(separator: ", "))
            from pg_temp.import_rows r \(sql: joins) \(sql: valueJoins)
            where not exists (select from \(identifier: table) t where \(sql: match))
            order by r.line
            """
    }

    /// All rows of the table as the kind's file has them, by key.
    var export: SQL {
        let columns = fields.map { field -> SQL in "\(sql: field.export) as \(identifier: field.name)" }
        let order = key.map { field($0).export }
        return """
            select \(sql: columns.joined(separator: ", ")) from \(identifier: table) t \(sql: exportJoins)
            order by \(sql: order.joined(separator: ", "))
            """
    }

    /// The columns that a file may change in rows that are there, and what they become.
    private func changes(_ columns: ImportColumns) -> [(column: String, value: SQL)] {
        fields.flatMap { field in
            field.targets.compactMap { target in
                guard columns.named.contains(field.name) || !target.alsoFrom.isDisjoint(with: columns.named) else {
                    return nil
                }
                return updated(target, of: field, columns).map { (target.column, $0) }
            }
        }
    }

    private func merged(_ field: ImportField, _ columns: ImportColumns) -> SQL? {
        field.targets.first.flatMap { updated($0, of: field, columns) }
    }

    private func updated(_ target: ImportTarget, of field: ImportField, _ columns: ImportColumns) -> SQL? {
        guard let updated = target.updated, let cleared = target.cleared, columns.cleared.contains(field.name) else {
            return target.updated
        }
        return "case when \(field.name) = any(r.cleared) then \(sql: cleared) else \(sql: updated) end"
    }
}
