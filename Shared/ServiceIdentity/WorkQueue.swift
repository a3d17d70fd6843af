/// Jobs that wait for a few threads, as a plain value: each owner's in the order in which they came, the owners in turn.
///
/// A full queue makes room for an owner who has less in it than another: the last job of the owner who has most is turned away.
struct WorkQueue<Owner: Hashable, Job> {
    private let capacity: Int
    /// With their waiting jobs; those whose turn is next come first. None is without a job.
    private var owners: [(owner: Owner, jobs: [(id: UInt64, job: Job)])] = []

    /// - Parameter capacity: how many jobs may wait, of all owners.
    init(capacity: Int) { self.capacity = capacity }

    var count: Int { owners.reduce(0) { $0 + $1.jobs.count } }

    /// Adds a job.
    ///
    /// - Returns: the job that is turned away, which may be this one; nil when there was room.
    mutating func add(_ job: Job, _ id: UInt64, of owner: Owner) -> Job? {
        var displaced: Job?
        if count >= capacity {
            let own = owners.first { $0.owner == owner }?.jobs.count ?? 0
            guard let most = owners.indices.max(by: { owners[$0].jobs.count < owners[$1].jobs.count }),
                owners[most].jobs.count > own + 1
            else { return job }
            displaced = owners[most].jobs.removeLast().job
        }
        if let place = owners.firstIndex(where: { $0.owner == owner }) {
            owners[place].jobs.append((id, job))
        } else {
            owners.append((owner, [(id, job)]))
        }
        return displaced
    }

    /// Takes the job whose turn it is; nil when none waits.
    mutating func next() -> Job? {
        guard !owners.isEmpty else { return nil }
        var first = owners.removeFirst()
        let (_, job) = first.jobs.removeFirst()
        if !first.jobs.isEmpty { owners.append(first) }
        return job
    }

    /// Takes a job out; nil when it does not wait.
    mutating func remove(_ id: UInt64) -> Job? {
        for place in owners.indices {
            guard let index = owners[place].jobs.firstIndex(where: { $0.id == id }) else { continue }
            let (_, job) = owners[place].jobs.remove(at: index)
            if owners[place].jobs.isEmpty { owners.remove(at: place) }
            return job
        }
        return nil
    }
}
