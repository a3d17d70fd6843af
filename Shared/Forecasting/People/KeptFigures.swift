import Basics
import Synchronization

/// Figures of everybody that questions about many people have worked out, for the next ones: as long as no outcome comes, goes or is put
/// right they stay as they are, whatever is asked and whenever.
///
/// People and groups are known by their numbers. One that is met later has no outcomes yet, so that what is kept of nobody and of
/// nothing holds for it too.
final class KeptFigures: Sendable {
    /// What the figures are of: people's own groups of one kind.
    struct Key: Hashable {
        let withPlan: Bool
        let kind: GroupIndex.Kind
        /// What the people's own groups are crossed with.
        var crossedWith: Int32 = -1
        var and: Int32 = -1
    }

    private struct State {
        var figures = RecentEntries<Key, PeopleFigures>(maximumCount: KeptFigures.most)
        /// Of the largest.
        var bytesOfOne = 0
    }

    private let state = Mutex(State())

    /// A question goes by five to ten.
    private static let most = 64

    func figures(_ key: Key, otherwise make: () -> PeopleFigures) -> PeopleFigures {
        if let known = state.withLock({ $0.figures.use(key) }) { return known }
        // Outside of the lock: of two questions that come at once each makes them, and both make the same.
        let made = make()
        state.withLock { state in
            state.figures.insert(made, for: key)
            state.bytesOfOne = max(state.bytesOfOne, made.bytes)
        }
        return made
    }

    /// At most so much memory is taken.
    var bytes: Int { state.withLock { $0.figures.count * $0.bytesOfOne } }
}
