import Contracts

/// A planner names people, projects and bookings by their external ids.
extension PlatformClient {
    func employee(_ externalID: String) async throws -> Employee {
        try await named(externalID, "employees", "person")
    }

    func project(_ externalID: String) async throws -> Project {
        try await named(externalID, "projects", "project")
    }

    func booking(_ externalID: String) async throws -> AllocationDetail {
        try await named(externalID, "allocations", "booking")
    }

    func leave(_ externalID: String) async throws -> EmployeeLeave { try await named(externalID, "leave", "leave") }

    private func named<T: Codable & Sendable>(_ externalID: String, _ path: String, _ noun: String) async throws -> T {
        let found = try await list(
            "/api/v1/\(path)?externalId=\(PlatformClient.escaped(externalID))", of: T.self, atMost: 1)
        guard let one = found.first else {
            throw CommandFailure("There is no \(noun) with the external id \(externalID).")
        }
        return one
    }
}

/// What a write of people's time or of a booking answered.
struct Written<Item: Codable & Sendable>: Encodable, Sendable {
    let data: Item
    let warnings: [PlanningWarning]

    /// A sentence, and a line for each warning.
    func text(_ sentence: (Item) -> String) -> String {
        ([sentence(data)] + warnings.map { "  ! \($0.message)" }).joined(separator: "\n")
    }
}

extension CivilDate {
    /// - Throws: ``CommandFailure`` that names the option.
    static func argument(_ text: String, _ option: String) throws -> CivilDate {
        guard let day = CivilDate(text) else { throw CommandFailure("\(option) must be a date like 2026-01-31.") }
        return day
    }

    static func argument(_ text: String?, _ option: String) throws -> CivilDate? {
        try text.map { try argument($0, option) }
    }
}

/// The parameters of a list, those that are given.
struct Parameters {
    private var pairs: [String] = []

    mutating func add(_ name: String, _ value: String?) {
        if let value { pairs.append("\(name)=\(PlatformClient.escaped(value))") }
    }

    /// `path?a=1&b=2`
    func path(_ path: String) -> String { pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))" }
}
