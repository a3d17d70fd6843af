import Contracts

/// From which departments people were asked about, considered and proposed in one answer.
struct Selection: Sendable, Equatable {
    struct Counts: Sendable, Equatable {
        var asked = 0
        var considered = 0
        var proposed = 0
    }

    /// By department; nil for none.
    private(set) var counts: [DepartmentID?: Counts] = [:]

    init(asked department: DepartmentID?) { counts[department] = Counts(asked: 1) }

    mutating func consider(_ department: DepartmentID?, _ people: Int) {
        counts[department, default: Counts()].considered += people
    }

    mutating func propose(_ department: DepartmentID?) { counts[department, default: Counts()].proposed += 1 }

    /// As it is stored: `{"<department or empty>": [asked, considered, proposed]}`.
    var stored: [String: [Int]] {
        Dictionary(
            uniqueKeysWithValues: counts.map { department, counts in
                (department?.description ?? "", [counts.asked, counts.considered, counts.proposed])
            })
    }
}
