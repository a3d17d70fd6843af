extension History {
    /// Every allocation completed strictly before `moment` as a training point, by completion
    /// (docs/architecture.md#what-is-learned).
    public func trainingPoints(asOf moment: Double) -> [TrainingPoint] {
        slotOfID.values
            .filter { entries[Int($0)].hours != nil && (entries[Int($0)].allocation.completedAt ?? .infinity) < moment }
            .sorted { entries[Int($0)].completes(before: entries[Int($1)]) }
            .compactMap { trainingPoint(entries[Int($0)], asOf: moment) }
    }

    private func trainingPoint(_ entry: HistoryEntry, asOf moment: Double) -> TrainingPoint? {
        let allocation = entry.allocation
        guard let hours = entry.hours, let source = entry.source, let completed = allocation.completedAt else {
            return nil
        }
        return TrainingPoint(
            allocation, hours: hours, source: source, completed: completed, project: project(allocation.project),
            asOf: moment)
    }
}
