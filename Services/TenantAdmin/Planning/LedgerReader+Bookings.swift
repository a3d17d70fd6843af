import Contracts
import Ledger
import Postgres
import ServiceStorage

extension LedgerReader {
    /// The bookings of some people that may reach into the days asked about. One that has no end may; the ledger knows how long
    /// its hours last.
    func bookings(of ids: [EmployeeID], in days: DayWindow, _ detail: Detail) -> SQL {
        let skills: SQL = detail.withSkills ? "required_skill_ids, required_levels" : "null::uuid[], null::smallint[]"
        let externalID: SQL = detail.withExternalIDs ? "external_id" : "null::text"
        let finished: SQL =
            switch detail.finished {
            case .all: ""
            // A day's margin: which day a moment falls on depends on the time zone.
            case .loading:
                "AND (completed_at IS NULL OR completed_at >= \(days.first)::timestamp AT TIME ZONE 'UTC' - interval '1 day')"
            case .none: "AND completed_at IS NULL"
            }
        return """
            SELECT employee_id, id, project_id, start_date, end_date, allocated_hours, hours_per_day,
                allocation_percentage, commitment, cancelled_at IS NOT NULL,
                (completed_at AT TIME ZONE (SELECT tenant_zone()))::date, \(sql: skills), \(sql: externalID)
            FROM \(sql: tables.bookings)
            WHERE employee_id = ANY(\(ids)) AND start_date <= \(days.last)
                AND (end_date IS NULL OR end_date >= \(days.first)) \(sql: finished)
            ORDER BY employee_id, start_date, id
            """
    }

    /// Of the rows that ``bookings(of:in:_:)`` gives.
    mutating func bookings(_ rows: [PostgresRow], _ detail: Detail) async throws -> [EmployeeID: PersonsBookings] {
        let ofRows = try rows.map { try $0.decode(at: 2, as: ProjectID.self) }
        try await read(projects: Set(ofRows))
        var bookings: [EmployeeID: PersonsBookings] = [:]
        // The rows of one person follow each other.
        var own = PersonsBookings()
        var person: (text: String, id: EmployeeID)?
        for (row, project) in zip(rows, ofRows) {
            guard let terms = projects[project] else { continue }
            let text = try row.decode(at: 0, as: String.self)
            if text != person?.text {
                if let person { bookings[person.id] = own }
                person = (text, try row.decode(at: 0))
                own = PersonsBookings()
            }
            own.bookings.append(try Booking(row, terms, withSkills: detail.withSkills))
            if detail.withExternalIDs { own.externalIDs.append(try row.decode(at: 13)) }
        }
        if let person { bookings[person.id] = own }
        return bookings
    }

    /// What a project means for its bookings; nil when there is none.
    mutating func project(_ id: ProjectID) async throws -> ProjectTerms? {
        try await read(projects: [id])
        return projects[id]
    }

    private mutating func read(projects ids: Set<ProjectID>) async throws {
        let missing = ids.filter { projects[$0] == nil }
        guard !missing.isEmpty else { return }
        for row in try await connection.query(
            """
            SELECT id, status, start_date, coalesce(end_date, estimated_end_date) FROM \(sql: tables.projects)
            WHERE id = ANY(\(Array(missing)))
            """)
        {
            let (id, status, first, last) = try row.decode(
                ProjectID.self, ProjectStatus.self, CivilDate?.self, CivilDate?.self)
            projects[id] = ProjectTerms(id: id, status: status, first: first, last: last)
        }
    }
}

/// One person's bookings, and their external ids where these were asked for.
struct PersonsBookings: Sendable {
    var bookings: [Booking] = []
    var externalIDs: [String] = []
}

extension Booking {
    /// Of the columns that ``LedgerReader/bookings(of:in:_:)`` reads.
    fileprivate init(_ row: PostgresRow, _ project: ProjectTerms, withSkills: Bool) throws {
        let skills = withSkills ? try row.decode(at: 11, as: [SkillID].self) : []
        let levels = withSkills ? try row.decode(at: 12, as: [Int?]?.self) ?? [] : []
        self.init(
            id: try row.decode(at: 1), project: project, first: try row.decode(at: 3), last: try row.decode(at: 4),
            effort: Effort(
                hours: try row.decode(at: 5), hoursPerDay: try row.decode(at: 6), percentage: try row.decode(at: 7)),
            commitment: try row.decode(at: 8, as: String.self) == "soft" ? .soft : .hard,
            isCancelled: try row.decode(at: 9), completed: try row.decode(at: 10),
            requiredSkills: zip(skills, levels).map { RequiredSkill($0, level: $1) })
    }
}
