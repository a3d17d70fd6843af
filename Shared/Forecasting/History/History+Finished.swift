extension History {
    /// The finished allocations of one person on one project whose hours were recorded, by completion.
    public func finished(employee: String, project: String) -> [Allocation] {
        let group = index.resolve(Decision(employee: employee, project: project, at: 0)).personProject
        guard group >= 0, let rows = series[Int(group)].rows else { return [] }
        return (0..<series[Int(group)].count).map { entries[Int(rows[$0].slot)] }
            .filter { $0.source == .recorded }.map(\.allocation)
    }

    /// How many allocations that require just these skills, which may be none, had an outcome before a moment.
    public func finishedCount(requiring skills: [String], before moment: Double) -> Int {
        let group = index.resolve(Decision(employee: "", project: "", skills: skills, at: moment)).skillSet
        guard group >= 0 else { return 0 }
        return read { reader in
            reader.series(group).pointee.moments.map { $0.count(before: moment, from: $0.count - 1) } ?? 0
        }
    }
}
