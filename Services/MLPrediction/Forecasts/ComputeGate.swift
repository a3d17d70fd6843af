import Foundation
import Synchronization

/// Admits a fixed number of computations at once and the others in order of arrival. Computations of milliseconds have a shorter
/// mean latency one after the other than all at once, and none waits much longer than another.
final class ComputeGate: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    private let threads: StandingThreads

    /// - Parameter atOnce: as many as there are cores when not stated otherwise.
    init(atOnce: Int = ProcessInfo.processInfo.activeProcessorCount) {
        state = Mutex(State(free: max(1, atOnce)))
        threads = StandingThreads(most: max(1, atOnce))
    }

    /// How many wait for their turn.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// A caller that is cancelled waits for its turn all the same.
    func pass<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        await enter()
        defer { leave() }
        return try await body()
    }

    /// Runs long work on one of the gate's threads when its turn comes, and short work here: it needs no thread.
    func run<Value: Sendable>(
        named name: String, isLong: Bool = true, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        guard isLong else { return try body() }
        return try await pass { try await threads.run(named: name, body) }
    }

    /// What `body` makes of each item: of a few here, of more on the gate's threads. Between parts of the items others have their turn.
    /// - Parameter few: so many take about a millisecond.
    func map<Item: Sendable, Value: Sendable>(
        named name: String, _ items: [Item], few: Int, _ body: @escaping @Sendable (Item) throws -> Value
    ) async throws -> [Value] {
        guard items.count > few else { return try items.map(body) }
        var values: [Value] = []
        values.reserveCapacity(items.count)
        let size = few * Self.partOfFew
        for first in stride(from: 0, to: items.count, by: size) {
            let part = items[first..<min(first + size, items.count)]
            values += try await run(named: name) { try part.map(body) }
        }
        return values
    }

    /// A part is worth a thread, and about as long as a comparison of many people.
    private static let partOfFew = 10

    private func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
