import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// A kind of row of a tenant that is listed, read, made, changed and removed one by one.
///
/// What differs from kind to kind is declared; locking, preconditions, quotas, audit entries and the once of an
/// `Idempotency-Key` are the same for all.
protocol ResourceStore: Sendable {
    associatedtype Entity
    associatedtype Item: Codable & Sendable
    associatedtype Filter: RouteQuery
    associatedtype Creation: RequestPayload
    associatedtype Edit: RequestPayload

    var database: TenantDatabase { get }

    /// What one is called, in the audit log and in answers: `employee`.
    static var noun: String { get }
    /// The table, and its name inside ``source``.
    static var table: String { get }
    static var alias: String { get }
    /// What a write locks before any row.
    static var locks: TableLocks { get }
    /// What a deletion locks instead, where more goes with the row.
    static var locksOfDeletion: TableLocks { get }
    /// What is read: the columns and the `from` clause.
    static var columns: SQL { get }
    static var source: SQL { get }
    static func item(_ row: PostgresRow) throws -> Item
    /// The unique text that lists are sorted by.
    static var position: SQL { get }
    static func position(of item: Item) -> String
    static func id(of item: Item) -> Identifier<Entity>
    static func conditions(_ filter: Filter) -> [SQL]

    /// What the plan limits the number of, and whether this one counts.
    static var quota: Quota? { get }
    static func takesPlace(_ item: Item) -> Bool

    /// What planning has to heed of a write; nil where it has nothing to do with planning.
    static func watch(_ write: ResourceWrite<Self>) -> PlanningWatch?

    /// Writes the row.
    static func insert(_ request: Creation, by caller: TenantCaller, on connection: PostgresConnection) async throws
        -> Identifier<Entity>

    /// Changes the locked row.
    /// - Returns: the names of the columns that were set; none when there was nothing to do.
    static func edit(
        _ item: Item, with request: Edit, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [String]

    /// What keeps the locked row from being deleted.
    /// - Throws: 409 or 403 where it must stay for another reason.
    static func uses(of item: Item, by caller: TenantCaller, on connection: PostgresConnection) async throws
        -> [ResourceUse]

    /// What else of the tenant's goes with a deleted row, before the deletion is recorded.
    /// - Returns: what was erased of the audit log; nil for what is no person.
    static func deleted(_ item: Item, on connection: PostgresConnection) async throws -> ErasedValues?
    /// What other services have to do about a deletion; the last thing in the transaction, which need not act as the tenant any more.
    static func deletedElsewhere(_ item: Item, of tenant: TenantID, on connection: PostgresConnection) async throws
}

/// A write of a resource, before it is done.
enum ResourceWrite<Store: ResourceStore>: Sendable where Store.Item: Sendable {
    case create(Store.Creation)
    case update(Store.Item, with: Store.Edit)
    case delete(Store.Item)
}

extension ResourceStore {
    static var locksOfDeletion: TableLocks { locks }
    static func deleted(_ item: Item, on connection: PostgresConnection) async throws -> ErasedValues? { nil }
    static func deletedElsewhere(_ item: Item, of tenant: TenantID, on connection: PostgresConnection) async throws {}
    static var quota: Quota? { nil }
    static func takesPlace(_ item: Item) -> Bool { true }
    static func watch(_ write: ResourceWrite<Self>) -> PlanningWatch? { nil }

    /// In order of ``position(of:)``.
    func page(_ query: ListQuery<Filter, TextPosition>, of tenant: TenantID) async throws -> [Item] {
        var conditions: [SQL] = ["true"] + Self.conditions(query.filter)
        if let last = query.page.after { conditions.append("\(sql: Self.position) > \(last.key)") }
        let condition = conditions.joined(separator: " AND ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT \(sql: Self.columns) FROM \(sql: Self.source) WHERE \(sql: condition)
                ORDER BY \(sql: Self.position) LIMIT \(query.page.readLimit)::bigint
                """
            ).map(Self.item)
        }
    }

    /// - Throws: 404.
    func item(_ id: Identifier<Entity>, of tenant: TenantID) async throws -> Item {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(of: id, on: $0) }
    }

    /// - Throws: 403 `quota_exceeded` when the plan allows no more; what constraints and planning say of the values.
    func create(
        _ request: Creation, by caller: TenantCaller, dryRun: Bool = false, once key: IdempotencyKey? = nil
    ) async throws -> Outcome<Item> {
        try await database.rehearsing(dryRun) { settle in
            try await database.creating(in: caller.tenant, once: dryRun ? nil : key) { active, connection in
                try await Self.locks.take(on: connection)
                let watch = try await Self.watch(.create(request))?.begin(on: connection)
                let id = try await Self.insert(request, by: caller, on: connection)
                let item = try await Self.row(of: id, on: connection)
                let warnings = try await watch?.finish(id.rawValue, on: connection) ?? []
                if Self.takesPlace(item) { try await Self.quota?.check(active.limits, on: connection) }
                try await AuditLog.record(
                    try .write("create", Self.noun, id.description, before: Item?.none, after: item),
                    by: caller.author, on: connection)
                return try settle(Outcome(item: item, warnings: warnings))
            }
        }
    }

    /// - Throws: 404; what `precondition` throws; as ``create(_:by:dryRun:once:)``.
    func update(
        _ id: Identifier<Entity>, with request: Edit, by caller: TenantCaller, dryRun: Bool = false,
        if precondition: @Sendable (Item) throws -> Void
    ) async throws -> Outcome<Item> {
        try await database.rehearsing(dryRun) { settle in
            try await database.withActive(caller.tenant) { active, connection in
                let current = try await Self.row(of: id, locking: Self.locks, on: connection)
                try precondition(current)
                let watch = try await Self.watch(.update(current, with: request))?.begin(on: connection)
                let columns = try await Self.edit(current, with: request, by: caller, on: connection)
                if columns.isEmpty { return Outcome(item: current, warnings: []) }
                let item = try await Self.row(of: id, on: connection)
                let warnings = try await watch?.finish(id.rawValue, on: connection) ?? []
                if !Self.takesPlace(current), Self.takesPlace(item) {
                    try await Self.quota?.check(active.limits, on: connection)
                }
                try await AuditLog.record(
                    try .write("update", Self.noun, id.description, before: current, after: item, columns: columns),
                    by: caller.author, on: connection)
                return try settle(Outcome(item: item, warnings: warnings))
            }
        }
    }

    /// - Returns: what is gone, and what that means for planning.
    /// - Throws: 404; what `precondition` throws; 409 that says what uses the row.
    func delete(
        _ id: Identifier<Entity>, by caller: TenantCaller, dryRun: Bool = false,
        if precondition: @Sendable (Item) throws -> Void
    ) async throws -> Outcome<Item> {
        try await database.rehearsing(dryRun) { settle in
            try await database.withTenant(caller.tenant) { connection in
                let current = try await Self.row(of: id, locking: Self.locksOfDeletion, on: connection)
                try precondition(current)
                // The row is locked: what refers to it cannot become more until this transaction ends.
                let uses = try await Self.uses(of: current, by: caller, on: connection)
                guard uses.isEmpty else { throw ResourceUse.refusal(of: Self.noun, usedBy: uses) }
                let watch = try await Self.watch(.delete(current))?.begin(on: connection)
                try await connection.execute("DELETE FROM \(identifier: Self.table) WHERE id = \(id)")
                let warnings = try await watch?.finish(id.rawValue, on: connection) ?? []
                let erased = try await Self.deleted(current, on: connection)
                let change = try Change.write(
                    "delete", Self.noun, id.description, before: current, after: Item?.none)
                try await AuditLog.record(
                    erased.map(change.erasing) ?? change, by: caller.author, on: connection)
                try await Self.deletedElsewhere(current, of: caller.tenant, on: connection)
                return try settle(Outcome(item: current, warnings: warnings))
            }
        }
    }

    /// - Parameter locks: for a change of the row or of what belongs to it: what is locked before the row is. nil only to read.
    /// - Throws: 404.
    static func row(
        of id: Identifier<Entity>, locking locks: TableLocks? = nil, on connection: PostgresConnection
    ) async throws -> Item {
        // Locked first and read afterwards: what is compared and answered is what the lock holds, not what stood there while
        // another writer held it.
        if let locks {
            try await connection.executeBatch(
                locks.statements + ["SELECT FROM \(identifier: table) WHERE id = \(id) FOR UPDATE"])
        }
        let rows = try await connection.query(
            "SELECT \(sql: columns) FROM \(sql: source) WHERE \(identifier: alias).id = \(id)")
        guard let row = rows.first else { throw ProblemError.notFound(noun.prefix(1).uppercased() + noun.dropFirst()) }
        return try item(row)
    }
}
