import Basics
import Contracts
import Ledger

/// Rows of a report as lines of a CSV file (RFC 4180), one line a row and period.
struct ReportCSV<Row: Sendable>: Sendable {
    let header: [String]
    let lines: @Sendable (Row) -> [[CSVCell]]

    func text(_ rows: [Row]) -> String {
        rows.flatMap(lines).map { $0.map(\.text).joined(separator: ",") + "\r\n" }.joined()
    }

    var headerLine: String { header.joined(separator: ",") + "\r\n" }
}

enum CSVCell: Sendable {
    case text(String?)
    case number(Double?)
    case date(CivilDate)

    var text: String {
        switch self {
        case .text(let text): text.map(CSVText.spreadsheetField) ?? ""
        case .number(let number): number.map(Self.plain) ?? ""
        case .date(let date): date.description
        }
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }
}

extension ReportCSV where Row == UtilizationRow {
    static func utilization(_ group: UtilizationGroup, _ window: DayWindow) -> Self {
        let who =
            group == .person
            ? ["external_id", "name", "department"] : group == .none ? [] : ["group_id", "group_name"]
        return Self(
            header: who + ["from", "to", "capacity_hours", "hard_hours", "soft_hours", "actual_hours", "percent"]
        ) { row in
            let who: [CSVCell] =
                if let employee = row.employee {
                    [.text(employee.externalId), .text(employee.name), .text(employee.department)]
                } else {
                    row.group.map { [.text($0.id), .text($0.name)] } ?? []
                }
            let whole = UtilizationPart(
                from: window.first, to: window.last,
                UtilizationFigures(
                    capacityHours: row.capacityHours, hardHours: row.hardHours, softHours: row.softHours,
                    actualHours: row.actualHours, percent: row.percent))
            return (row.periods ?? [whole]).map { part in
                who + [
                    .date(part.from), .date(part.to), .number(part.capacityHours), .number(part.hardHours),
                    .number(part.softHours), .number(part.actualHours), .number(part.percent),
                ]
            }
        }
    }
}

extension ReportCSV where Row == AvailabilityRow {
    static func availability(_ window: DayWindow) -> Self {
        Self(
            header: [
                "external_id", "name", "department", "from", "to", "capacity_hours", "free_hours",
                "free_hours_after_soft",
            ]
        ) { row in
            let whole = AvailabilityPart(
                from: window.first, to: window.last, capacityHours: row.capacityHours, freeHours: row.freeHours,
                freeHoursAfterSoft: row.freeHoursAfterSoft)
            return (row.periods ?? [whole]).map { part in
                [
                    .text(row.employee.externalId), .text(row.employee.name), .text(row.employee.department),
                    .date(part.from), .date(part.to), .number(part.capacityHours), .number(part.freeHours),
                    .number(part.freeHoursAfterSoft),
                ]
            }
        }
    }
}

extension ReportCSV where Row == OverAllocationRow {
    static let overAllocations = Self(
        header: ["external_id", "name", "department", "from", "to", "percent", "over_hours", "allocations"]
    ) { row in
        row.periods.map { period in
            [
                .text(row.employee.externalId), .text(row.employee.name), .text(row.employee.department),
                .date(period.from), .date(period.to), .number(period.percent), .number(period.overHours),
                .text(period.allocations.joined(separator: ";")),
            ]
        }
    }
}

extension ReportCSV where Row == OrphanRow {
    static let orphans = Self(
        header: ["external_id", "name", "department", "allocation", "from", "to", "commitment", "orphaned_hours"]
    ) { row in
        row.bookings.map { booking in
            [
                .text(row.employee.externalId), .text(row.employee.name), .text(row.employee.department),
                .text(booking.externalId), .date(booking.from), .date(booking.to), .text(booking.commitment.rawValue),
                .number(booking.orphanedHours),
            ]
        }
    }
}
