import Contracts
import Foundation
import Ledger
import Postgres
import ServiceStorage

extension PlanningWarning {
    /// Conflicts in the words of the contract, in order of time.
    /// - Parameter tables: where the bookings and the skills are.
    static func all(
        _ found: Set<BookingConflict>, of employee: EmployeeID, in tables: LedgerReader.Tables = .init(),
        on connection: PostgresConnection
    ) async throws -> [PlanningWarning] {
        guard !found.isEmpty else { return [] }
        let names = try await Names(
            found.map(\.conflict), bookings: found.map(\.booking), in: tables, on: connection)
        return found.map { PlanningWarning($0.conflict, of: $0.booking, employee, names) }.sorted {
            ($0.from, $0.kind, $0.booking, $0.to) < ($1.from, $1.kind, $1.booking, $1.to)
        }
    }

    /// External ids of bookings and names of skills.
    private struct Names {
        var bookings: [AllocationID: String] = [:]
        var skills: [SkillID: String] = [:]

        init(
            _ conflicts: [Conflict], bookings: [AllocationID], in tables: LedgerReader.Tables,
            on connection: PostgresConnection
        ) async throws {
            let ids = Set(conflicts.flatMap(\.bookings)).union(bookings)
            for row in try await connection.query(
                "SELECT id, external_id FROM \(sql: tables.bookings) WHERE id = ANY(\(Array(ids))::uuid[])")
            {
                self.bookings[try row.decode("id")] = try row.decode("external_id", as: String.self)
            }
            let skills = Set(conflicts.compactMap(\.skill))
            guard !skills.isEmpty else { return }
            for row in try await connection.query(
                "SELECT id, name FROM \(sql: tables.skills) WHERE id = ANY(\(Array(skills))::uuid[])")
            {
                self.skills[try row.decode("id")] = try row.decode("name", as: String.self)
            }
        }
    }

    private init(_ conflict: Conflict, of booking: AllocationID, _ employee: EmployeeID, _ names: Names) {
        let hours = conflict.minutes.map(Minutes.hours)
        let own = names.bookings[booking] ?? booking.description
        let bookings = conflict.bookings.map { names.bookings[$0] ?? $0.description }.sorted()
        let skill = conflict.skill.map { names.skills[$0] ?? $0.description }
        let isOver = conflict.kind == .overCapacity
        self.init(
            kind: conflict.kind.rawValue,
            message: Self.message(
                conflict, own, bookings.filter { $0 != own }, hours: hours?.formatted ?? "", skill ?? ""),
            employeeId: employee, booking: own, from: conflict.from, to: conflict.to, overHours: isOver ? hours : nil,
            hours: isOver ? nil : hours, commitment: conflict.commitment, bookings: bookings.isEmpty ? nil : bookings,
            skill: skill, level: conflict.level)
    }

    private static func message(
        _ conflict: Conflict, _ own: String, _ others: [String], hours: String, _ skill: String
    ) -> String {
        let days = conflict.from == conflict.to ? "on \(conflict.from)" : "from \(conflict.from) to \(conflict.to)"
        let together = others.isEmpty ? "" : " together with \(others.joined(separator: ", "))"
        return switch conflict.kind {
        case .overCapacity: "Booking \(own) takes\(together) \(hours) hours more than the person has \(days)."
        case .outsideEmployment:
            "The person is not employed \(days): \(hours) hours of booking \(own) do not count as load."
        case .onLeave: "The person is on leave \(days), within booking \(own)."
        case .noWorkingTime:
            if hours.isEmpty {
                "The person has no working time \(days): booking \(own) takes nothing."
            } else {
                "The person has no working time \(days): the \(hours) hours of booking \(own) stand on its first day."
            }
        case .hoursNeverEnd:
            "The hours of booking \(own) \(BookingLimits.notWorkedOff): it counts at its pace, without an end."
        case .personOnHold: "No work is to be planned for the person \(days), as booking \(own) does."
        case .projectClosed: "The project of booking \(own) is completed or cancelled."
        case .outsideProject: "Booking \(own) lies outside its project's dates \(days)."
        case .sameProjectTwice:
            "Booking \(others.joined(separator: ", ")) is of the same person on the same project \(days)."
        case .skillMissing: "The person does not have the skill \(skill) that booking \(own) requires."
        case .levelTooLow:
            "The person does not have the skill \(skill) at level \(conflict.level.map(String.init) ?? "?") or above, which booking \(own) requires."
        case .effortStatedTwice:
            "The effort of booking \(own) is stated twice and differs: its hours count, its other statement would mean \(hours) hours."
        case .effortNotStated: "No effort is stated: booking \(own) takes nothing."
        }
    }
}

extension Double {
    /// As a sentence says it: at most two decimals, none where none are needed.
    var formatted: String {
        let hundredths = (self * 100).rounded() / 100
        return hundredths == hundredths.rounded() && abs(hundredths) < 1e15
            ? String(Int(hundredths)) : String(hundredths)
    }
}
