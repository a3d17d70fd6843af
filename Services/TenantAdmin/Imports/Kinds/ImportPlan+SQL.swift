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
            CREATE TEMP TABLE import_rows (line bigint NOT NULL, cleared text[], \(sql: columns.joined(separator: ", ")))
            ON COMMIT DROP
            """
    }

    /// Takes the lines that `ImportRowParser` writes.
    var copy: SQL {
        let columns = fields.map { field -> SQL in "\(identifier: field.name)" }
        return "COPY pg_temp.import_rows (line, cleared, \(sql: columns.joined(separator: ", "))) FROM STDIN"
    }

    /// Takes all bad rows away; gives the first of them as `line`, `column_name` and `reason`, each with the number of rows
    /// taken away, and no row when all are good.
    func judge(_ columns: ImportColumns, beside others: Others, limit: Int) -> SQL? {
        let found = failures(beside: others, columns)
        guard !found.isEmpty else { return nil }
        let failures = found.map { failure -> SQL in
            "SELECT f.line, \(failure.column)::text AS column_name, f.reason::text AS reason FROM (\(sql: failure.rows)) f"
        }
        return """
            WITH failures AS MATERIALIZED (\(sql: failures.joined(separator: " union all "))),
                removed AS (DELETE FROM pg_temp.import_rows r WHERE r.line IN (SELECT line FROM failures) RETURNING 1)
            SELECT line, column_name, reason, (SELECT count(*) FROM removed) AS rejected FROM failures
            ORDER BY line, column_name LIMIT \(limit)::bigint
            """
    }

    /// Which staged rows are bad, by column: queries that give `line` and `reason`.
    private func failures(beside others: Others, _ columns: ImportColumns) -> [(column: String, rows: SQL)] {
        let found = checks.filter { $0.others == others }.map(Self.failures(of:))
        return switch others {
        // What contradicts what is stored.
        case .none: found + orderedPairs.flatMap { contradictions($0, columns) }
        case .help: found
        case .hindrance: [duplicates] + found
        }
    }

    /// The rows that name what an earlier row of the file names.
    private var duplicates: (column: String, rows: SQL) {
        let identity = identity.isEmpty ? key.map { column -> SQL in "r.\(identifier: column)" } : identity
        let keys = identity.joined(separator: ", ")
        let rows: SQL = """
            SELECT l.line, 'names the same row as line ' || d.first AS reason FROM (
                SELECT min(r.line) AS first, array_agg(r.line) AS lines FROM pg_temp.import_rows r
                GROUP BY \(sql: keys) HAVING count(*) > 1) d CROSS JOIN unnest(d.lines) l (line)
            WHERE l.line > d.first
            """
        return (key[key.count - 1], rows)
    }

    private static func failures(of check: Check) -> (column: String, rows: SQL) {
        let rows: SQL = """
            SELECT r.line, \(sql: check.reason) AS reason FROM pg_temp.import_rows r \(sql: check.joins)
            WHERE \(sql: check.condition)
            """
        return (check.column, rows)
    }

    /// A file that names one of a pair may contradict the other, which is stored.
    private func contradictions(_ pair: OrderedPair, _ columns: ImportColumns) -> [(column: String, rows: SQL)] {
        let (earlier, later) = (field(pair.earlier), field(pair.later))
        guard let first = merged(earlier, columns), let last = merged(later, columns) else { return [] }
        func rows(_ given: ImportField, _ reason: String) -> SQL {
            """
            SELECT r.line, \(reason)::text AS reason FROM pg_temp.import_rows r \(sql: joins)
            JOIN \(identifier: table) t ON \(sql: match)
            WHERE r.\(identifier: given.name) IS NOT NULL AND \(sql: first) > \(sql: last)
            """
        }
        let isBefore = (later.name, rows(later, "must not be before the \(earlier.name) that is stored"))
        let isAfter = (earlier.name, rows(earlier, "must not be after the \(later.name) that is stored"))
        return pair.earlierOpensAnew ? [isBefore] : [isBefore, isAfter]
    }

    /// Unusual values in the remaining rows, at most `limit`, as `line`, `column_name` and `reason`; nil for kinds without such
    /// checks.
    func oddities(limit: Int) -> SQL? {
        guard !warnings.isEmpty else { return nil }
        let rows = warnings.map { check -> SQL in
            """
            SELECT r.line, \(check.column)::text AS column_name, (\(sql: check.reason))::text AS reason
            FROM pg_temp.import_rows r \(sql: check.joins) WHERE \(sql: check.condition)
            """
        }
        return "\(sql: rows.joined(separator: " union all ")) ORDER BY line, column_name LIMIT \(limit)::bigint"
    }

    /// Counts the rows in which a value is taken away that is there; nil when the file clears nothing.
    func clearances(_ columns: ImportColumns) -> SQL? {
        let losses = fields.filter { columns.cleared.contains($0.name) }.flatMap { field in
            field.targets.compactMap { target -> SQL? in
                guard target.updated != nil, let cleared = target.cleared else { return nil }
                return """
                    (\(field.name) = ANY(r.cleared) AND t.\(identifier: target.column) IS DISTINCT FROM \(sql: cleared))
                    """
            }
        }
        guard !losses.isEmpty else { return nil }
        return """
            SELECT count(*) AS cleared FROM pg_temp.import_rows r \(sql: joins)
            JOIN \(identifier: table) t ON \(sql: match)
            WHERE r.cleared IS NOT NULL AND (\(sql: losses.joined(separator: " OR ")))
            """
    }

    /// Counts how many more rows of a limited kind there will be.
    func added(_ limit: Limit) -> SQL {
        """
        SELECT (\(sql: limit.added)) AS added FROM pg_temp.import_rows r \(sql: joins)
        LEFT JOIN \(identifier: table) t ON \(sql: match)
        """
    }

    /// Writes the rows that exist and differ; those that are the same already are not touched, nor their `changed_in`.
    /// nil when the file names nothing that could change.
    /// - Parameter mark: a column that becomes true as well.
    func update(_ columns: ImportColumns, marking mark: String? = nil) -> SQL? {
        guard let differs = differs(columns) else { return nil }
        let marks = mark.map { ["\(identifier: $0) = true"] as [SQL] } ?? []
        let set = changes(columns).map { "\(identifier: $0.column) = \(sql: $0.value)" as SQL } + marks
        return """
            UPDATE \(identifier: table) t SET \(sql: set.joined(separator: ", "))
            FROM pg_temp.import_rows r \(sql: joins) \(sql: valueJoins)
            WHERE \(sql: match) AND \(sql: differs)
            """
    }

    /// Counts the rows that ``insert(_:)`` and ``update(_:marking:)`` would write, by what is there before ``prerequisites``.
    func foreseen(_ columns: ImportColumns) -> SQL {
        """
        SELECT (SELECT count(*) FROM pg_temp.import_rows r \(sql: joins)
                WHERE NOT EXISTS (SELECT FROM \(identifier: table) t WHERE \(sql: match))) AS inserted,
            (SELECT count(*) FROM pg_temp.import_rows r \(sql: joins) \(sql: valueJoins)
                JOIN \(identifier: table) t ON \(sql: match) WHERE \(sql: differs(columns) ?? "false")) AS updated
        """
    }

    /// Whether `t` would become another; nil when the file names nothing that could change.
    private func differs(_ columns: ImportColumns) -> SQL? {
        let changes = changes(columns)
        guard !changes.isEmpty else { return nil }
        let now = changes.map { change -> SQL in "t.\(identifier: change.column)" }.joined(separator: ", ")
        let values = changes.map(\.value).joined(separator: ", ")
        return "row(\(sql: now)) IS DISTINCT FROM row(\(sql: values))"
    }

    /// Writes the rows that do not exist yet. Sorted, so that all are found before the first is written: looking row by row through what
    /// the statement itself has just written would take the square of the file's time.
    func insert(_ history: ImportHistory = .asDecided) -> SQL {
        let targets = fields.flatMap(\.targets).map { target in
            target.column == Self.historyKnown.column && history == .unknown ? Self.historyUnknown : target
        }
        let columns = targets.map { target -> SQL in "\(identifier: target.column)" }
        return """
            INSERT INTO \(identifier: table) (\(sql: columns.joined(separator: ", ")))
            SELECT \(sql: targets.map(\.inserted).joined(separator: ", "))
            FROM pg_temp.import_rows r \(sql: joins) \(sql: valueJoins)
            WHERE NOT EXISTS (SELECT FROM \(identifier: table) t WHERE \(sql: match))
            ORDER BY r.line
            """
    }

    /// All rows of the table as the kind's file has them, by key.
    var export: SQL {
        let columns = fields.map { field -> SQL in "\(sql: field.export) as \(identifier: field.name)" }
        let order = key.map { field($0).export }
        return """
            SELECT \(sql: columns.joined(separator: ", ")) FROM \(identifier: table) t \(sql: exportJoins)
            ORDER BY \(sql: order.joined(separator: ", "))
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

    /// What a field's column becomes in `t`, where a staged row `r` names it or none does; nil for a column that is written once.
    func merged(_ field: ImportField, _ columns: ImportColumns) -> SQL? {
        field.targets.first.flatMap { updated($0, of: field, columns) }
    }

    private func updated(_ target: ImportTarget, of field: ImportField, _ columns: ImportColumns) -> SQL? {
        guard let updated = target.updated, let cleared = target.cleared, columns.cleared.contains(field.name) else {
            return target.updated
        }
        return "CASE WHEN \(field.name) = ANY(r.cleared) THEN \(sql: cleared) ELSE \(sql: updated) END"
    }
}
