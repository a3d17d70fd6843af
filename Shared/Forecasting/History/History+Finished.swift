extension History {
    /// The finished allocations of one person on one project whose hours were recorded, by completion.
    public func finished(employee: String, project: String) -> [Allocation] {
        let group = index.resolve(Decision(employee: employee, project: project, at: 0)).personProject
        guard group >= 0, let rows = series[Int(group)].rows else { return [] }
        return (0..<series[Int(group)].count).map { entries[Int(rows[$0].slot)] }
            .filter { $0.source == .recorded }.map(\.allocation)
    }
}
