import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// A kind of row with several per employee: employment, contracts. They are read and written under the lock of the employee,
/// and every write answers with warnings about the person's bookings.
protocol EmployeePartStore: Sendable {
    associatedtype Entity
    associatedtype Item: Codable & Sendable
    associatedtype Creation: RequestPayload
    associatedtype Edit: RequestPayload

    var database: TenantDatabase { get }

    /// What one is called, in the audit log and in answers.
    static var noun: String { get }
    static var table: String { get }
    /// What a write locks before the employee's row.
    static var locks: TableLocks { get }
    static var columns: SQL { get }
    /// In order of time.
    static var order: SQL { get }
    static func item(_ row: PostgresRow) throws -> Item
    static func id(of item: Item) -> Identifier<Entity>
    /// The first day that it speaks of; nil for since ever.
    static func firstDay(of item: Item) -> CivilDate?
    static func firstDay(of creation: Creation) -> CivilDate?
    static func firstDay(of edit: Edit, of item: Item) -> CivilDate?

    /// Writes the row.
    static func insert(_ request: Creation, of employee: EmployeeID, on connection: PostgresConnection) async throws
        -> Identifier<Entity>

    /// - Returns: the names of the columns that were set; none when there was nothing to do.
    static func edit(_ item: Item, with request: Edit, on connection: PostgresConnection) async throws -> [String]

    /// Why the last one an employee has stays.
    static var lastOneStays: String { get }
}

extension EmployeePartStore {
    /// All of them: people have few.
    /// - Throws: 404.
    func all(of employee: EmployeeID, in tenant: TenantID) async throws -> [Item] {
        try await database.withTenant(tenant, readOnly: true) { connection in
            _ = try await Employees.row(of: employee, on: connection)
            return try await Self.rows("employee_id = \(employee)", on: connection)
        }
    }

    /// - Throws: 404.
    func one(_ id: Identifier<Entity>, of employee: EmployeeID, in tenant: TenantID) async throws -> Item {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(id, of: employee, on: $0) }
    }

    /// - Throws: 404 for an unknown employee; what constraints say of the values.
    func create(
        _ request: Creation, of employee: EmployeeID, by caller: TenantCaller, dryRun: Bool, once key: IdempotencyKey?
    ) async throws -> Outcome<Item> {
        try await database.rehearsing(dryRun) { settle in
            try await database.creating(in: caller.tenant, once: dryRun ? nil : key) { _, connection in
                _ = try await Employees.row(of: employee, locking: Self.locks, on: connection)
                let watch = try await PlanningWatch.time(of: employee, from: Self.firstDay(of: request))
                    .begin(on: connection)
                let id = try await Self.insert(request, of: employee, on: connection)
                let item = try await Self.row(id, of: employee, on: connection)
                let warnings = try await watch.finish(id.rawValue, on: connection)
                try await AuditLog.record(
                    try .write("create", Self.noun, id.description, before: Item?.none, after: item),
                    by: caller.author, on: connection)
                return try settle(Outcome(item: item, warnings: warnings))
            }
        }
    }

    /// - Throws: 404; what `precondition` throws; what constraints say of the values.
    func update(
        _ id: Identifier<Entity>, of employee: EmployeeID, with request: Edit, by caller: TenantCaller, dryRun: Bool,
        if precondition: @Sendable (Item) throws -> Void
    ) async throws -> Outcome<Item> {
        try await database.rehearsing(dryRun) { settle in
            try await database.withTenant(caller.tenant) { connection in
                _ = try await Employees.row(of: employee, locking: Self.locks, on: connection)
                let current = try await Self.row(id, of: employee, on: connection)
                try precondition(current)
                let watch = try await PlanningWatch.time(
                    of: employee,
                    from: Self.earliest(Self.firstDay(of: current), Self.firstDay(of: request, of: current))
                ).begin(on: connection)
                let columns = try await Self.edit(current, with: request, on: connection)
                if columns.isEmpty { return Outcome(item: current, warnings: []) }
                let item = try await Self.row(id, of: employee, on: connection)
                let warnings = try await watch.finish(id.rawValue, on: connection)
                try await AuditLog.record(
                    try .write(
                        "update", Self.noun, id.description, before: current, after: item, columns: columns),
                    by: caller.author, on: connection)
                return try settle(Outcome(item: item, warnings: warnings))
            }
        }
    }

    /// - Throws: 404; what `precondition` throws; 409 for the only one that the employee has.
    func delete(
        _ id: Identifier<Entity>, of employee: EmployeeID, by caller: TenantCaller, dryRun: Bool,
        if precondition: @Sendable (Item) throws -> Void
    ) async throws -> Outcome<Item> {
        try await database.rehearsing(dryRun) { settle in
            try await database.withTenant(caller.tenant) { connection in
                _ = try await Employees.row(of: employee, locking: Self.locks, on: connection)
                let current = try await Self.row(id, of: employee, on: connection)
                try precondition(current)
                guard try await Self.rows("employee_id = \(employee)", on: connection).count > 1 else {
                    throw ProblemError.conflict(Self.lastOneStays)
                }
                let watch = try await PlanningWatch.time(of: employee, from: Self.firstDay(of: current))
                    .begin(on: connection)
                try await connection.execute("DELETE FROM \(identifier: Self.table) WHERE id = \(id)")
                let warnings = try await watch.finish(id.rawValue, on: connection)
                try await AuditLog.record(
                    try .write("delete", Self.noun, id.description, before: current, after: Item?.none),
                    by: caller.author, on: connection)
                return try settle(Outcome(item: current, warnings: warnings))
            }
        }
    }

    private static func earliest(_ one: CivilDate?, _ other: CivilDate?) -> CivilDate? {
        guard let one, let other else { return nil }
        return min(one, other)
    }

    private static func row(
        _ id: Identifier<Entity>, of employee: EmployeeID, on connection: PostgresConnection
    ) async throws -> Item {
        let found = try await rows("id = \(id) AND employee_id = \(employee)", on: connection)
        guard let item = found.first else {
            throw ProblemError.notFound("\(noun.prefix(1).uppercased() + noun.dropFirst()) of this employee")
        }
        return item
    }

    private static func rows(_ condition: SQL, on connection: PostgresConnection) async throws -> [Item] {
        try await connection.query(
            """
            SELECT \(sql: columns) FROM \(identifier: table) WHERE \(sql: condition) ORDER BY \(sql: order)
            """
        ).map(Self.item)
    }
}
