import Contracts
import Postgres

/// How the rows of one kind become rows of the tenant's tables: its fields, what is looked up, what is checked. In its SQL
/// `r` is a staged row and `t` the row of ``table`` that `r` names.
struct ImportPlan: Sendable {
    let kind: ImportKind
    var table: String
    /// What an import has alone: two imports, or an import and a POST, would otherwise both insert what is missing; and what is stored
    /// must be judged as it will be when it is written over. And what it writes beside others.
    let locks: TableLocks
    var fields: [ImportField]
    /// The fields that together name a row.
    let key: [String]
    /// What two rows have in common that name the same, where that is not the text of the key itself.
    var identity: [SQL] = []
    /// Joins to `r` that ``match`` needs.
    var joins: SQL = ""
    /// Finds `t` for `r`.
    var match: SQL
    /// Joins to `r` that give what is written and is made by ``prerequisites``.
    var valueJoins: SQL = ""
    /// Joins to `t` that give back what the others have resolved, for an export.
    var exportJoins: SQL = ""
    /// Fields that must not come the wrong way round, in one row or together with what is stored.
    var orderedPairs: [OrderedPair] = []
    /// Statements that lock the rows that are named, behind the tables: what a row names is not deleted until the transaction ends,
    /// for a row that passed its checks must still find it when it is written, or it would be lost without a word; and people who
    /// carry the mark of the change are locked in the order in which everybody locks them.
    var holds: [SQL] = []
    /// Statements that make what rows may name without its being there yet.
    var prerequisites: [SQL] = []
    /// Statements that end the work when all rows are written.
    var finish: [SQL] = []
    /// The tables whose copies a dry run writes; none where it counts by what is there (``foreseen(_:)``).
    var copies: [ImportCopies.Copy] = []
    var checks: [Check] = []
    /// Conditions that make a good row unusual.
    var warnings: [Check] = []
    /// What the tenant's plan limits the number of.
    var limit: Limit?
    /// What of planning the rows may upset.
    var planning = Planning.none

    enum Planning: Sendable {
        case none
        /// They are bookings.
        case bookings
        /// They are projects, whose status says what their bookings count for.
        case projects
        /// They change when people work; a field names the person.
        case time(of: String)
    }

    struct OrderedPair: Sendable {
        let earlier: String
        let later: String
        /// Whether an earlier one after the later one that is stored begins something new.
        let earlierOpensAnew: Bool

        init(_ earlier: String, _ later: String, earlierOpensAnew: Bool = false) {
            self.earlier = earlier
            self.later = later
            self.earlierOpensAnew = earlierOpensAnew
        }
    }

    /// A condition that makes a staged row bad, or unusual.
    struct Check: Sendable {
        let column: String
        let condition: SQL
        /// The reason for the client.
        let reason: SQL
        /// Joins to `r` that the condition needs, each to one row at most.
        var joins: SQL = ""
        var others = Others.none
    }

    /// What other rows of the file are to a check. They are judged in this order, each when the bad ones of those before are gone.
    enum Others: Sendable {
        case none
        /// They may make a row good, as by moving what is in its way.
        case help
        /// They may make a row bad.
        case hindrance
    }

    struct Limit: Sendable {
        let quota: Quota
        /// Counts, over `r left join t`, how many more there will be.
        let added: SQL
    }
}

extension ImportPlan {
    init(_ kind: ImportKind) {
        switch kind {
        case .departments: self = .departments
        case .skills: self = .skills
        case .calendars: self = .calendars
        case .holidays: self = .holidays
        case .employees: self = .employees
        case .employment: self = .employment
        case .contracts: self = .contracts
        case .leave: self = .leave
        case .employeeSkills: self = .employeeSkills
        case .projects: self = .projects
        case .allocations: self = .allocations
        case .capacityHistory: self = .capacityHistory
        case .allocationVersions: self = .allocationVersions
        case .projectVersions: self = .projectVersions
        }
    }

    /// - Precondition: the kind has a field of that name.
    func field(_ name: String) -> ImportField {
        guard let field = fields.first(where: { $0.name == name }) else {
            preconditionFailure("\(kind.rawValue) has no field \(name)")
        }
        return field
    }
}
